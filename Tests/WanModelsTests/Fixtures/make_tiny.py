"""Records what taehv.py gives for weights and latents of a formula: tiny.safetensors, beside this file.

    python make_tiny.py FOLDER_OF_TAEHV_PY     # with torch, numpy, safetensors and tqdm

TinyGoldenTests makes the same numbers by the same formula; here are only the frames [F, H, W, 3], before they are held
inside [0, 1]. In "2_1" the first level's 1x1 convolution is stored with twice its rows, of which the last count.
"""

import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

MASK = (1 << 64) - 1
CASES = {"2_1": (16, 1, (3, 2, 3)), "2_2": (48, 2, (2, 2, 1))}


def numbers(name, count, scale):
    """Uniform in [-scale, scale): the top 24 bits of SplitMix64's counter, which float32 holds exactly."""
    seed = 7
    for byte in name.encode():
        seed = (seed * 31 + byte) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return unit * np.float32(scale)


def filled(name, shape):
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 0
    scale = 0.1 if fan_in == 0 else np.sqrt(np.float32(6) / np.float32(fan_in))
    return torch.from_numpy(numbers(name, int(np.prod(shape)), scale).reshape(shape))


def main():
    sys.path.insert(0, sys.argv[1])
    from taehv import TAEHV

    tensors = {}
    for case, (channels, patch, (frames, height, width)) in CASES.items():
        model = TAEHV(checkpoint_path=None, patch_size=patch, latent_channels=channels)
        shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
        if case == "2_1":
            shapes["decoder.7.conv.weight"][0] *= 2
        state = {name: filled(name, shape) for name, shape in shapes.items()}
        if len(sys.argv) > 2:
            torch.save(state, os.path.join(sys.argv[2], f"taew{case}.pth"))
        model.load_state_dict(model.patch_tgrow_layers(state))
        model.postprocess_output_frames = lambda x: (
            torch.nn.functional.pixel_shuffle(x, patch) if patch > 1 else x)
        latents = torch.from_numpy(numbers("latents", channels * frames * height * width, 4)).reshape(
            1, channels, frames, height, width)
        with torch.no_grad():
            video = model.decode_video(latents.transpose(1, 2), show_progress_bar=False)  # [1, F, 3, H, W]
        tensors[case] = np.ascontiguousarray(video[0].permute(0, 2, 3, 1).numpy())
        print(case, tensors[case].shape, tensors[case].mean(), tensors[case].std())
    save_file(tensors, os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny.safetensors"))


main()
