"""Reads what `wan convert` writes with the packages that other programs read it with.

check.py FOLDER ORIGINAL DIFFUSERS [--diffusers]: FOLDER holds what scripts/test-packages converted of the model ORIGINAL
and of the two folders in DIFFUSERS.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy
from safetensors import safe_open


def e4m3_table():
    """The numbers of the 256 codes."""
    codes = numpy.arange(256)
    exponent, fraction = codes >> 3 & 15, codes & 7
    size = numpy.where(exponent == 0, fraction * 2.0**-9, (1 + fraction / 8) * 2.0 ** (exponent - 7.0))
    size[(codes & 127) == 127] = numpy.nan
    return numpy.where(codes < 128, size, -size).astype(numpy.float32)


def header(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(length)), 8 + length


def raw(path, name):
    """A tensor's bytes, for types that numpy does not have; in its shape where an element is a byte."""
    entries, start = header(path)
    first, last = entries[name]["data_offsets"]
    with open(path, "rb") as file:
        file.seek(start + first)
        content = numpy.frombuffer(file.read(last - first), numpy.uint8)
    shape = entries[name]["shape"]
    return content.reshape(shape) if numpy.prod(shape) == len(content) else content


def numbers(path):
    """All tensors of a safetensors file as float32; bfloat16 is widened by hand."""
    entries, _ = header(path)
    result = {}
    with safe_open(path, "numpy") as file:
        for name, entry in entries.items():
            if name == "__metadata__":
                continue
            if entry["dtype"] == "BF16":
                words = raw(path, name).reshape(-1).view(numpy.uint16).astype(numpy.uint32) << 16
                result[name] = words.view(numpy.float32).reshape(entry["shape"])
            elif entry["dtype"] in ("F32", "F16"):
                result[name] = file.get_tensor(name).astype(numpy.float32)
    return result


def error(made, exact):
    return float(numpy.linalg.norm(made - exact) / max(numpy.linalg.norm(exact), 1e-30))


def check(condition, words):
    if not condition:
        sys.exit(f"error: {words}")


def check_gguf(path, exact, bounds):
    """Every tensor, as the gguf package dequantises it; the blocks that it can make itself are the same bytes."""
    reader = gguf.GGUFReader(path)
    check(len(reader.tensors) == len(exact), f"{path}: {len(reader.tensors)} tensors of {len(exact)}")
    types = {}
    for tensor in reader.tensors:
        kind = tensor.tensor_type
        types[kind.name] = types.get(kind.name, 0) + 1
        wanted = exact[tensor.name]
        check(list(reversed(tensor.shape.tolist())) == list(wanted.shape), f"{path}: {tensor.name}: {tensor.shape}")
        found = gguf.dequantize(tensor.data, kind).reshape(wanted.shape)
        check(error(found, wanted) <= bounds.get(kind.name, 0), f"{path}: {tensor.name} {kind.name}: {error(found, wanted)}")
        if kind.name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"):
            check((gguf.quantize(wanted, kind) == tensor.data).all(), f"{path}: {tensor.name}: other blocks than gguf's")
    print(f"{Path(path).name}: {types}, read by gguf")
    return reader


BOUNDS = {
    "F16": 5e-4, "Q8_0": 0.008, "Q5_0": 0.06, "Q5_1": 0.06, "Q4_0": 0.12, "Q4_1": 0.12,
    "Q2_K": 0.35, "Q3_K": 0.2, "Q4_K": 0.09, "Q5_K": 0.05, "Q6_K": 0.02,
}


def check_transformers(folder, original):
    exact = numbers(original / "high_noise_model/diffusion_pytorch_model.safetensors")
    for path in sorted(folder.glob("t2v-q*/diffusion_models/*HighNoise*.gguf")):
        reader = check_gguf(path, exact, BOUNDS)
        check(reader.fields["general.architecture"].contents() == "wan", "the architecture is not wan")
    wide = gguf.GGUFReader(folder / "wide.gguf")
    exact = {
        tensor.name: gguf.dequantize(tensor.data, tensor.tensor_type).reshape(list(reversed(tensor.shape.tolist())))
        for tensor in wide.tensors
    }
    for path in sorted(folder.glob("wide-*.gguf")):
        check_gguf(path, exact, BOUNDS)


def check_encoder(folder):
    reader = gguf.GGUFReader(next((folder / "t2v-q8_0/text_encoders").glob("*.gguf")))
    fields = {name: field.contents() for name, field in reader.fields.items()}
    check(fields["general.architecture"] == "t5encoder" and fields["tokenizer.ggml.model"] == "t5", "no T5 encoder")
    table = next(tensor for tensor in reader.tensors if tensor.name == "token_embd.weight")
    check(len(fields["tokenizer.ggml.tokens"]) == table.shape[1], "as many pieces as rows")
    bias = next(tensor for tensor in reader.tensors if tensor.name == "enc.blk.0.attn_rel_b.weight")
    check(bias.shape[1] == fields["t5encoder.attention.relative_buckets_count"], f"relative positions {bias.shape}")
    print("text encoder: keys, pieces and relative positions read by gguf")


def check_comfy(folder, original):
    """The rules of ComfyUI's loader: names that tell the model, the mark, a scale beside each weight of a byte."""
    exact = numbers(original / "high_noise_model/diffusion_pytorch_model.safetensors")
    table = e4m3_table()
    path = next((folder / "t2v-fp8/diffusion_models").glob("*high_noise*.safetensors"))
    entries, _ = header(path)
    check("head.modulation" in entries and entries["scaled_fp8"]["dtype"] == "F8_E4M3", "names or mark")
    scaled = [name for name in entries if name.endswith(".scale_weight")]
    for name in scaled:
        weight = name.removesuffix(".scale_weight") + ".weight"
        check(entries[weight]["dtype"] == "F8_E4M3" and entries[name]["shape"] == [], weight)
        found = table[raw(path, weight)] * raw(path, name).view(numpy.float32)[0]
        check(error(found, exact[weight]) < 0.035, f"{weight}: {error(found, exact[weight])}")
    check(len(scaled) == sum(entry.get("dtype") == "F8_E4M3" for entry in entries.values()) - 1, "weights without scales")

    path = next((folder / "t2v-int8/diffusion_models").glob("*high_noise*.safetensors"))
    entries, _ = header(path)
    marks = [name for name in entries if name.endswith(".comfy_quant")]
    for name in marks:
        layer = name.removesuffix(".comfy_quant")
        check(json.loads(raw(path, name).tobytes())["format"] == "int8_tensorwise", name)
        codes = raw(path, layer + ".weight").view(numpy.int8).astype(numpy.float32)
        scales = raw(path, layer + ".weight_scale").reshape(-1).view(numpy.float32)
        check(entries[layer + ".weight_scale"]["shape"] == [len(codes), 1], layer)
        check(error(codes * scales[:, None], exact[layer + ".weight"]) < 0.012, layer)
    check(len(marks) == len(scaled), "layers of bytes")
    encoder, _ = header(next((folder / "t2v-fp8/text_encoders").glob("*.safetensors")))
    check("spiece_model" in encoder and "encoder.block.0.layer.0.SelfAttention.q.scale_weight" in encoder, "text encoder")
    print(f"ComfyUI's rules: {len(scaled)} weights in fp8 and in int8, with their scales and marks")


def check_diffusers(folder, golden):
    """The pipelines load, and each parameter is the one of diffusers' own folder, rounded to bfloat16."""
    import diffusers
    import torch

    diffusers.utils.logging.disable_progress_bar()
    for name in ("t2v", "ti2v"):
        made = diffusers.WanPipeline.from_pretrained(folder / f"{name}-diffusers", torch_dtype=torch.float32)
        theirs = diffusers.WanPipeline.from_pretrained(golden / name, torch_dtype=torch.float32)
        count = 0
        for part in ("transformer", "transformer_2", "vae", "text_encoder"):
            own, other = getattr(made, part), getattr(theirs, part)
            check((own is None) == (other is None), f"{name}: {part}")
            for key, value in (other.state_dict() if other is not None else {}).items():
                found = own.state_dict()[key]
                same = torch.equal(found, value) or torch.equal(found, value.bfloat16().float())
                check(same, f"{name}: {part}: {key}")
                count += 1
        text = "A red ball bounces."
        check(made.tokenizer(text).input_ids == theirs.tokenizer(text).input_ids, f"{name}: tokens")
        print(f"diffusers {diffusers.__version__}: {name}, {count} parameters equal")

    path = next((folder / "t2v-q8_0/diffusion_models").glob("*HighNoise*.gguf"))
    blocks = diffusers.WanTransformer3DModel.from_single_file(
        str(path), quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=torch.float32),
        config=str(folder / "t2v-diffusers"), subfolder="transformer", torch_dtype=torch.float32)
    plain = diffusers.WanTransformer3DModel.from_pretrained(
        folder / "t2v-diffusers/transformer", torch_dtype=torch.float32)
    torch.manual_seed(0)
    inputs = torch.randn(1, 16, 2, 8, 8), torch.tensor([500.0]), torch.randn(1, 16, plain.config.text_dim)
    with torch.no_grad():
        made, exact = (model(*inputs, return_dict=False)[0].numpy() for model in (blocks, plain))
    check(error(made, exact) < 0.02, f"{path}: a pass is {error(made, exact)} away")
    print(f"diffusers {diffusers.__version__}: a pass with the blocks of {path.name} is {error(made, exact):.4f} away")


def main():
    folder, original, golden = map(Path, sys.argv[1:4])
    check_transformers(folder, original)
    check_encoder(folder)
    check_comfy(folder, original)
    if "--diffusers" in sys.argv:
        check_diffusers(folder, golden)


main()
