"""Records runs of the published schedulers and draws of torch's CPU generator; see README.md."""
import json
import os
import struct
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEDULES = [
    ("unipc", 3, 0.5), ("unipc", 5, 1.0), ("unipc", 6, 15.0), ("unipc", 7, 8.0), ("unipc", 13, 12.0),
    ("unipc", 50, 5.0), ("unipc", 60, 3.0), ("unipc", 60, 15.0), ("dpm++", 1, 5.0), ("dpm++", 2, 1.0),
    ("dpm++", 3, 0.5), ("dpm++", 14, 12.0), ("dpm++", 15, 3.5), ("dpm++", 50, 5.0), ("dpm++", 60, 15.0),
]
DRAWS = [
    (0, [1, 1, 1, 2, 3]), (1, [3, 16, 1, 5, 17]), (2**32 + 7, [7, 31, 4]), (2**63 - 1, [33]), (123456789, [640]),
    (2**32 - 1, [15, 15, 625]),
]


def scheduler(solver, steps, shift):
    import fm_solvers
    import fm_solvers_unipc
    options = dict(num_train_timesteps=1000, shift=1, use_dynamic_shifting=False)
    if solver == "unipc":
        s = fm_solvers_unipc.FlowUniPCMultistepScheduler(**options)
        s.set_timesteps(steps, device="cpu", shift=shift)
    else:
        s = fm_solvers.FlowDPMSolverMultistepScheduler(**options)
        s.set_timesteps(device="cpu", sigmas=fm_solvers.get_sampling_sigmas(steps, shift))
    return s


def run(solver, steps, shift, seed, shape=(1, 1, 2, 4)):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(shape, generator=generator)
    velocities = torch.randn((steps,) + shape, generator=generator)
    s, x, latents = scheduler(solver, steps, shift), noise, []
    for v, t in zip(velocities, s.timesteps):
        x = s.step(v[None], t, x[None], return_dict=False)[0][0]
        latents.append(x)
    return dict(noise=noise, model_outputs=velocities, latents=torch.stack(latents), timesteps=s.timesteps.float(),
                sigmas=s.sigmas.float())


def save(name, cases, tensors):
    header, body = {}, b""
    for key, value in tensors.items():
        data = value.contiguous().numpy().tobytes()
        header[key] = dict(dtype="F32", shape=list(value.shape), data_offsets=[len(body), len(body) + len(data)])
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name + ".safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        json.dump(cases, file, indent=1)


def main():
    sys.path.insert(0, sys.argv[1])
    tensors = {f"{i}.{key}": value for i, case in enumerate(SCHEDULES) for key, value in run(*case, 1000 + i).items()}
    save("schedulers", [dict(solver=s, steps=n, shift=k) for s, n, k in SCHEDULES], tensors)
    tensors = {}
    for i, (seed, counts) in enumerate(DRAWS):
        generator = torch.Generator().manual_seed(seed)
        tensors |= {f"{i}.{j}": torch.randn(n, generator=generator) for j, n in enumerate(counts)}
    save("randn", [dict(seed=seed, counts=counts) for seed, counts in DRAWS], tensors)


if __name__ == "__main__":
    main()
