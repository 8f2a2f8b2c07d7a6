#!/usr/bin/env python3
"""What OpenVINO takes for the transformer of diffusers on this machine's CPU, converted from PyTorch.

Random weights and inputs like those of torch_peer.py, whose options these are. One JSON object on stdout.

  peer/bin/pip install openvino nncf
  peer/bin/python openvino_peer.py transformer --latent 5x16x16 --layers 3 --dtype int8 --folder converted

`--dtype` is what products are computed in: bf16 (OpenVINO's INFERENCE_PRECISION_HINT), int8 (weights and activations in
bytes, by nncf.quantize with random calibration data), or int8weights (weights alone are stored so, by
nncf.compress_weights; OpenVINO quantises activations in the pass). That they really are is read from what OpenVINO says of
the compiled model, and told as `products`.
"""

import argparse
import collections
import logging
import sys
import tempfile
from pathlib import Path

import openvino
import torch
import torch_peer

# Numbers of a row that share a scale where activations are quantised in the pass. Of 0 (none), 32 (what OpenVINO takes by
# itself), 128, 1024 and all, 128 and 1024 were the fastest, alike.
DYNAMIC_GROUP = 128
# What OpenVINO may call the numbers that linears multiply.
NUMBERS = {"bf16": {"bf16"}, "int8": {"i8", "u8"}, "int8weights": {"i8", "u8"}}


class Forward(torch.nn.Module):
    """The transformer as conversion wants it: tensors in order, one tensor out."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, hidden_states, timestep, encoder_hidden_states):
        return self.network(hidden_states, timestep, encoder_hidden_states, return_dict=False)[0]


def transformer(options):
    products = collections.Counter()
    arrays = {name: value.numpy() for name, value in torch_peer.transformer_inputs(options, torch.float32).items()}

    def seconds(layers):
        compiled = openvino.Core().compile_model(converted(options, layers), "CPU", settings(options))
        products.update(numbers_of(compiled))
        request = compiled.create_infer_request()
        inputs = inputs_of(compiled, arrays)
        return torch_peer.median_seconds(lambda: request.infer(inputs), options)

    result = torch_peer.transformer_result(options, seconds)
    check(products, options.dtype)
    return result | dict(products=dict(products))


def inputs_of(model, arrays):
    """Those of the arrays that a model takes: conversion drops inputs that nothing looks at."""
    return {port: arrays[name] for port in model.inputs for name in port.names & arrays.keys()}


def settings(options):
    shared = dict(
        INFERENCE_PRECISION_HINT="bf16", INFERENCE_NUM_THREADS=options.threads, PERFORMANCE_HINT="LATENCY",
    )
    weights = dict(DYNAMIC_QUANTIZATION_GROUP_SIZE=DYNAMIC_GROUP) if options.dtype == "int8weights" else {}
    return shared | weights


def converted(options, layers):
    """The file of a converted model, which is made where the folder does not have it."""
    kept = "-kept" if options.kept_context else ""
    name = f"{options.model}-{layers}-{options.latent}{kept}-{options.dtype}-{openvino.__version__.split('-')[0]}.xml"
    path = options.folder / name
    if not path.exists():
        options.folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_stem(path.stem + ".part")
        openvino.save_model(make(options, layers), unfinished)
        unfinished.with_suffix(".bin").rename(path.with_suffix(".bin"))
        unfinished.rename(path)
    return path


def make(options, layers):
    network = torch_peer.make_transformer(options.model, layers, torch.float32)
    inputs = torch_peer.transformer_inputs(options, torch.float32)
    if options.kept_context:
        torch_peer.keep_context(network, inputs["encoder_hidden_states"])
    shapes = [(name, list(value.shape)) for name, value in inputs.items()]
    model = openvino.convert_model(Forward(network), example_input=inputs, input=shapes)
    return model if options.dtype == "bf16" else in_bytes(model, options, inputs)


def in_bytes(model, options, inputs):
    import nncf

    nncf.set_log_level(logging.ERROR)
    if options.dtype == "int8weights":
        return nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)
    arrays = {name: value.numpy() for name, value in inputs.items()}
    data = nncf.Dataset([{port.any_name: array for port, array in inputs_of(model, arrays).items()}])
    # Corrected biases have other values and cost no time in a pass, but much in making the model.
    uncorrected = nncf.AdvancedQuantizationParameters(disable_bias_correction=True)
    return nncf.quantize(
        model, data, subset_size=1, model_type=nncf.ModelType.TRANSFORMER, advanced_parameters=uncorrected)


def numbers_of(compiled):
    """How many of the linears are computed in which numbers, as OpenVINO names them."""
    facts = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ops()]
    told = [(fact["layerType"].astype(str), fact["runtimePrecision"].astype(str)) for fact in facts]
    return collections.Counter(numbers for layer, numbers in told if layer.startswith(("FullyConnected", "MatMul")))


def check(products, dtype):
    """Stops where the products were of another type than was asked for."""
    asked = sum(number for name, number in products.items() if name in NUMBERS[dtype])
    if asked < 0.9 * products.total() or not asked:
        told = ", ".join(products) or "nothing that it tells"
        sys.exit(f"OpenVINO computes linears in {told} and not in {dtype}; the processor may lack the instructions")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["transformer"])
    torch_peer.add_transformer_options(parser)
    parser.add_argument("--dtype", choices=NUMBERS, default="bf16")
    parser.add_argument("--folder", type=Path, help="where converted models are kept for the next run")
    return parser.parse_args()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        options.folder = options.folder or Path(folder)
        result = transformer(options)
    torch_peer.show(result, options, ("openvino", "nncf", "torch", "diffusers"))


if __name__ == "__main__":
    main()
