#!/usr/bin/env python3
"""What PyTorch, diffusers and transformers take for the parts of Wan2.2 on this machine's CPU.

Random weights at the published sizes, so only time and memory mean anything. One JSON object per measurement on stdout.

  python3 -m venv peer && peer/bin/pip install 'torch==2.13.0+cpu' diffusers transformers accelerate
  peer/bin/python torch_peer.py transformer --model ti2v-5b --layers 3 --latent 5x16x16 --threads 2
  peer/bin/python torch_peer.py transformer --latent 5x16x16 --compile
  peer/bin/python torch_peer.py vae --vae 2.2 --latent 5x16x16
  peer/bin/python torch_peer.py text --layers 3 --tokens 512
  peer/bin/python torch_peer.py attention --tokens 2420 --heads 24 --dtype f32
  peer/bin/python torch_peer.py gemm --m 1080 --k 3072 --n 14336

`--layers N` runs N of the model's layers; `--scale` measures 1 and N layers and extrapolates to the full depth.
`--compile` runs torch.compile's transformer; `--kept-context` spares its passes what depends on the prompt alone.
Every measurement is the median of --repeat runs after --warm-up others.
"""

import argparse
import importlib.metadata
import json
import resource
import statistics
import time

import torch

# Heads, latent channels in and out, width of the feed-forward, layers.
MODELS = {
    "ti2v-5b": (24, 48, 48, 14336, 30),
    "t2v-a14b": (40, 16, 16, 13824, 40),
    "i2v-a14b": (40, 36, 16, 13824, 40),
}
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
VAE_22 = dict(
    base_dim=160, decoder_base_dim=256, z_dim=48, is_residual=True, in_channels=12, out_channels=12, patch_size=2,
    scale_factor_spatial=16, temperal_downsample=[False, True, True], latents_mean=[0.0] * 48, latents_std=[1.0] * 48,
)


def median_seconds(run, options):
    for _ in range(options.warm_up):
        run()
    times = []
    for _ in range(options.repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def fill(module):
    """Random weights that keep the size of their inputs; norms start at 1, biases at 0."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, 1 / max(1, parameter[0].numel()) ** 0.5, generator=generator)
        else:
            parameter.data.fill_(1 if name.endswith(("weight", "gamma")) else 0)
    return module.eval().requires_grad_(False)


def make_transformer(model, layers, dtype):
    from diffusers import WanTransformer3DModel

    heads, channels_in, channels_out, feed_forward, _ = MODELS[model]
    with torch.device("meta"):
        network = WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=heads, attention_head_dim=128, in_channels=channels_in,
            out_channels=channels_out, text_dim=4096, freq_dim=256, ffn_dim=feed_forward, num_layers=layers,
            cross_attn_norm=True, qk_norm="rms_norm_across_heads", eps=1e-6,
        )
    rope = type(network.rope)(128, (1, 2, 2), 1024)
    network = network.to(dtype).to_empty(device="cpu")
    network.rope = rope
    return fill(network)


def transformer(options):
    dtype = DTYPES[options.dtype]

    def seconds(layers):
        network = make_transformer(options.model, layers, dtype)
        inputs = transformer_inputs(options, dtype)
        if options.kept_context:
            keep_context(network, inputs["encoder_hidden_states"])
        run = compiled(network) if options.compile else network
        return median_seconds(lambda: run(**inputs, return_dict=False), options)

    return transformer_result(options, seconds)


def transformer_inputs(options, dtype):
    t, h, w = extents(options.latent)
    return dict(
        hidden_states=torch.randn(1, MODELS[options.model][1], t, h, w).to(dtype),
        timestep=torch.tensor([937]), encoder_hidden_states=torch.randn(1, 512, 4096).to(dtype),
    )


def transformer_result(options, seconds):
    """The result of a transformer, `seconds` being what one pass of so many layers takes."""
    depth, (t, h, w) = MODELS[options.model][4], extents(options.latent)
    many = seconds(options.layers)
    return dict(
        model=options.model, latent=options.latent, tokens=t * (h // 2) * (w // 2),
        layers=depth if options.scale else options.layers,
        seconds=scaled(seconds(1), many, options.layers, depth) if options.scale else many,
    )


def compiled(network):
    """Compiled by inductor, its weights frozen so that they are laid out once for oneDNN's products."""
    import torch._inductor.config

    torch._dynamo.reset()
    torch._inductor.config.freezing = True
    return torch.compile(network)


def keep_context(network, context):
    """Makes what depends on the prompt alone here, once, so that no pass does it."""
    embedded = network.condition_embedder.text_embedder(context)
    network.condition_embedder.text_embedder = torch.nn.Identity()
    for block in network.blocks:
        block.attn2.set_processor(KeptContext(block.attn2, embedded))


class KeptContext:
    """Cross-attention, as a processor of diffusers, to keys and values that were made before."""

    def __init__(self, attention, context):
        key = attention.norm_k(attention.to_k(context))
        self.key, self.value = (self.heads(x, attention).contiguous() for x in (key, attention.to_v(context)))

    def __call__(self, attention, hidden_states, encoder_hidden_states=None, attention_mask=None, rotary_emb=None):
        query = self.heads(attention.norm_q(attention.to_q(hidden_states)), attention)
        mixed = torch.nn.functional.scaled_dot_product_attention(query, self.key, self.value)
        return attention.to_out[0](mixed.transpose(1, 2).flatten(2))

    @staticmethod
    def heads(x, attention):
        return x.unflatten(2, (attention.heads, -1)).transpose(1, 2)


def vae(options):
    from diffusers import AutoencoderKLWan

    dtype, old = DTYPES[options.dtype], options.vae == "2.1"
    network = fill(AutoencoderKLWan(**({} if old else VAE_22))).to(dtype)
    t, h, w = extents(options.latent)
    stride = 8 if old else 16
    latents = torch.randn(1, 16 if old else 48, t, h, w).to(dtype)
    video = torch.rand(1, 3, 4 * t - 3, h * stride, w * stride).to(dtype) * 2 - 1
    result = dict(vae=options.vae, latent=options.latent)
    for name, run in [
        ("decode", lambda: network.decode(latents, return_dict=False)),
        ("encode", lambda: network.encode(video, return_dict=False)),
    ]:
        if options.only in (None, name):
            counter = ConvolutionCounter(network)
            result[name + "_seconds"] = median_seconds(run, options)
            result[name + "_tflop"] = round(counter.finish() / (options.repeat + options.warm_up) / 1e12, 4)
    return result


class ConvolutionCounter:
    """Counts the operations of a network's convolutions as they run: 2 per weight and output position."""

    def __init__(self, network):
        self.operations = 0
        kinds = (torch.nn.Conv2d, torch.nn.Conv3d)
        modules = [module for module in network.modules() if isinstance(module, kinds)]
        self.hooks = [module.register_forward_hook(self.count) for module in modules]

    def count(self, module, inputs, output):
        self.operations += 2 * module.weight.numel() * output.numel() // output.shape[1]

    def finish(self):
        for hook in self.hooks:
            hook.remove()
        return self.operations


def text(options):
    from transformers import UMT5Config, UMT5EncoderModel

    ids = torch.randint(0, 1024, (1, 512))
    mask = torch.zeros(1, 512, dtype=torch.long)
    mask[:, : options.tokens] = 1

    def seconds(layers):
        configuration = UMT5Config(
            vocab_size=1024, d_model=4096, d_kv=64, d_ff=10240, num_layers=layers, num_heads=64,
            feed_forward_proj="gated-gelu",
        )
        with torch.device("meta"):
            network = UMT5EncoderModel(configuration)
        network = fill(network.to(DTYPES[options.dtype]).to_empty(device="cpu"))
        return median_seconds(lambda: network(ids, mask), options)

    return dict(
        tokens=options.tokens, padded=512, layers=24,
        seconds=scaled(seconds(1), seconds(options.layers), options.layers, 24),
    )


def attention(options):
    shape = (1, options.heads, options.tokens, 128)
    q, k, v = (torch.randn(shape).to(DTYPES[options.dtype]) for _ in range(3))
    seconds = median_seconds(lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v), options)
    operations = 4 * options.heads * options.tokens**2 * 128
    return dict(tokens=options.tokens, heads=options.heads, seconds=seconds, gflops=operations / seconds / 1e9)


def gemm(options):
    dtype = DTYPES[options.dtype]
    x = torch.randn(options.m, options.k).to(dtype)
    linear = torch.nn.Linear(options.k, options.n).to(dtype)
    seconds = median_seconds(lambda: linear(x), options)
    operations = 2 * options.m * options.k * options.n
    return dict(m=options.m, k=options.k, n=options.n, seconds=seconds, gflops=operations / seconds / 1e9)


def extents(latent):
    return map(int, latent.split("x"))


def scaled(one, many, layers, depth):
    """Seconds of the whole depth, from those of one and of several layers."""
    return one + (many - one) / (layers - 1) * (depth - 1)


PARTS = {"transformer": transformer, "vae": vae, "text": text, "attention": attention, "gemm": gemm}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    add_transformer_options(parser)
    parser.add_argument("--vae", default="2.2", choices=["2.1", "2.2"])
    parser.add_argument("--only", choices=["decode", "encode"], help="one direction of the VAE")
    parser.add_argument("--dtype", choices=DTYPES, help="bf16 unless given; f32 for vae")
    parser.add_argument("--compile", action="store_true", help="the transformer as torch.compile makes it")
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--heads", type=int, default=24)
    parser.add_argument("--m", type=int, default=1080)
    parser.add_argument("--k", type=int, default=3072)
    parser.add_argument("--n", type=int, default=14336)
    options = parser.parse_args()
    options.dtype = options.dtype or ("f32" if options.part == "vae" else "bf16")
    return options


def add_transformer_options(parser):
    """Options of every peer that runs the transformer."""
    parser.add_argument("--model", default="ti2v-5b", choices=MODELS)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--scale", action="store_true", help="tell the seconds of the model's whole depth")
    parser.add_argument("--latent", default="5x16x16", help="latent frames x height x width")
    parser.add_argument("--kept-context", action="store_true", help="make the prompt's keys and values before")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=1, help="runs before those that count")


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    with torch.no_grad():
        result = PARTS[options.part](options)
    show(result, options, ("torch", "diffusers", "transformers"))


def show(result, options, packages):
    """Prints a result with what is told of every measurement."""
    versions = {name: importlib.metadata.version(name) for name in packages}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shared = dict(dtype=options.dtype, threads=options.threads, peak_rss_gib=round(peak, 2), **versions)
    print(json.dumps(dict(part=options.part) | result | shared), flush=True)


if __name__ == "__main__":
    main()
