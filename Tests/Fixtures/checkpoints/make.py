"""Makes the files of this folder: python make.py, with torch 2.13.0 (CPU), numpy and safetensors.

golden.json holds what torch and safetensors read from the recorded checkpoints of this repository.
"""
import collections
import glob
import json
import os

import torch
from safetensors import safe_open

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
TYPES = {
    "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
    "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool,
}
NAMES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int64: "I64"}


class System:
    def __reduce__(self):
        return os.system, ("echo executed",)


def layouts():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    cube = torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1)
    tensors = collections.OrderedDict(
        transposed=base.t(), shared=base[1:3], strided=base[:, ::2],
        parameter=torch.nn.Parameter(torch.tensor([1.5, -2.25])),
        permuted=cube.to(torch.int32), permuted_view=cube.permute(1, 2, 0).to(torch.int16).permute(2, 0, 1))
    for name, dtype in TYPES.items():
        tensors["types." + name] = torch.tensor([0, 1, 2, 100]).to(dtype)
    tensors["scalar"] = torch.tensor(3.5)
    tensors["empty"] = torch.zeros(0, 3)
    return tensors


def save(name, value, **options):
    torch.save(value, os.path.join(HERE, name + ".pth"), **options)


def archives():
    save("tensors", layouts())
    save("tensors-protocol4", layouts(), pickle_protocol=4)
    save("tensors-protocol5", layouts(), pickle_protocol=5)
    layer = {"weight": torch.ones(2, 2), "bias": torch.zeros(2)}
    save("nested", {
        "state_dict": {"layer": layer, "list": [torch.tensor([7.0])]}, "epoch": 3, "loss": 0.25, "name": "x",
        "none": None, "flag": True, "big": 1 << 40})
    save("plain-nested", {"a": {"b": torch.ones(2, 2)}, "c": torch.tensor([1, 2, 3]), 3: torch.tensor([9.0])})
    save("unsupported-types", {
        "a": torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn), "b": torch.tensor([1, 2], dtype=torch.uint16),
        "c": torch.ones(2)})
    save("expanded", {"a": torch.ones(1).expand(1000)})
    save("module", torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).state_dict())
    save("legacy", {"w": torch.ones(3)}, _use_new_zipfile_serialization=False)
    save("os-system", {"w": torch.ones(3), "x": System()})
    save("whole-module", torch.nn.Linear(2, 2))


def tensors_of(path):
    if path.endswith(".pth"):
        return torch.load(path, weights_only=True)
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def recorded(path):
    tensors = tensors_of(path)
    names = list(tensors)
    count = len(names)
    picks = sorted({0, count // 4, count // 2, 3 * count // 4, count - 1})
    return {"count": count, "tensors": [
        {"name": names[i], "dtype": NAMES[tensors[names[i]].dtype], "shape": list(tensors[names[i]].shape),
         "first": tensors[names[i]].flatten()[:3].float().tolist(), "sum": tensors[names[i]].double().sum().item()}
        for i in picks]}


def golden():
    patterns = ["Tests/Golden/*/**/*.pth", "Tests/Golden/*/**/diffusion*.safetensors", "Models/nano-ti2v/**/*.pth",
                "Models/nano-ti2v/*.safetensors"]
    paths = sorted({p for pattern in patterns for p in glob.glob(os.path.join(ROOT, pattern), recursive=True)})
    with open(os.path.join(HERE, "golden.json"), "w") as file:
        json.dump({os.path.relpath(path, ROOT): recorded(path) for path in paths}, file, indent=1)


if __name__ == "__main__":
    archives()
    golden()
