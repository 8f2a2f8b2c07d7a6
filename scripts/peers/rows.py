"""What bench-peers measures, and the rows that it makes of the measurements."""

from dataclasses import dataclass

TI2V = "transformer --model ti2v-5b --latent "
SCALED = " --scale --layers 3"
# Tokens of the TI2V-5B transformer -> the latents that give them.
TI2V_LATENTS = {320: "5x16x16", 1080: "5x24x36", 2420: "5x44x44", 8190: "21x30x52", 16000: "20x40x80"}
GEMM = "gemm --m 1080 --k 3072 --n 14336"
OURS = ("ours-bf16",)
THEIRS = ("theirs-bf16", "theirs-f32")
# Each of ours, then what is held against it.
BESIDE = {
    "ours-bf16": ("compiled-bf16", "openvino-bf16"),
    "ours-int8": ("openvino-int8", "openvino-int8weights"),
}


@dataclass(frozen=True)
class Part:
    """What is measured together, its sides in turn.

    A side says who, in which numbers, and how many threads where that is not what the user asked for:
    `ours-bf16`, `theirs-f32`, `ours-bf16-1thread`. The arguments are those of `wan bench` and of the peers alike.
    """

    name: str
    arguments: str
    sides: tuple
    # Runs inside one process, unless the user says otherwise.
    repeat: int = 1
    # Small enough for --quick.
    quick: bool = False
    # Whether our linear is measured beside it, to know what the machine can do at that moment.
    has_ceiling: bool = True
    # Rounds that suffice, where fewer than asked for do.
    rounds: int = 1000
    # Measured only where --rows names it.
    optional: bool = False
    # What a peer is told beside the arguments.
    peer_arguments: str = ""


@dataclass(frozen=True)
class Row:
    """A line of the table: one of our sides of a part against the others'."""

    title: str
    part: str
    target: float
    ours: str = "ours-bf16"
    theirs: tuple = THEIRS
    # The result's key.
    key: str = "seconds"
    # The share of the ceiling that is asked for, if any.
    share: float | None = None


def transformer_parts():
    for tokens, latent in TI2V_LATENTS.items():
        yield Part(f"ti2v-5b-{tokens}", TI2V + latent + SCALED, ("ours-bf16", "ours-int8") + THEIRS, quick=tokens == 320)


PARTS = [
    Part("gemm", GEMM, ("ours-bf16", "ours-f32") + THEIRS, repeat=5, quick=True, has_ceiling=False),
    Part("attention-2420", "attention --heads 24 --tokens 2420", OURS + THEIRS, repeat=5, quick=True),
    Part("attention-8190", "attention --heads 24 --tokens 8190", OURS + THEIRS),
    *transformer_parts(),
    Part("t2v-a14b-1560", "transformer --model t2v-a14b --latent 1x60x104 --layers 2", OURS + THEIRS),
    Part("umt5-60", "text --tokens 60", OURS + THEIRS, quick=True),
    Part("umt5-512", "text --tokens 512", OURS + THEIRS),
    Part("vae-2.2", "vae --vae 2.2 --latent 5x16x16", ("ours-f32", "ours-bf16", "theirs-f32")),
    Part("vae-2.1", "vae --vae 2.1 --latent 5x32x32", ("ours-f32", "ours-bf16", "theirs-f32")),
    Part("threads", TI2V + TI2V_LATENTS[1080] + SCALED, ("ours-bf16", "ours-bf16-1thread"), has_ceiling=False),
    Part("start", "start", ("ours-bf16", "ours-int8"), has_ceiling=False),
    Part("memory", TI2V + TI2V_LATENTS[2420] + " --layers 30", OURS, has_ceiling=False, rounds=1),
    Part("memory-vae", "vae --vae 2.2 --latent 3x44x80 --only decode", OURS, has_ceiling=False, rounds=1, optional=True),
]


def compiled_parts():
    """Beside what compiles the transformer: as its user gets it, and spared what ours does once per prompt."""
    sides = tuple(side for ours, others in BESIDE.items() for side in (ours, *others))
    for tokens in (320, 1080):
        arguments = TI2V + TI2V_LATENTS[tokens] + SCALED
        for name, peer_arguments in (("", ""), ("-kept", "--kept-context")):
            yield Part(
                f"compiled-{tokens}{name}", arguments, sides, repeat=3, has_ceiling=False, peer_arguments=peer_arguments,
            )


COMPILED_PARTS = list(compiled_parts())


def vae_rows(vae):
    for way in ("decode", "encode"):
        for ours, numbers, target in (("ours-f32", "float32", 1.4), ("ours-bf16", "bf16", 2.8)):
            yield Row(
                f"VAE {vae} {way}, {numbers} against their float32", f"vae-{vae}", target, ours=ours,
                theirs=("theirs-f32",), key=f"{way}_seconds",
            )


ROWS = [
    Row("linear 1080x3072x14336", "gemm", 1.0),
    Row("attention, 24 heads of 128, 2420 tokens", "attention-2420", 3.3, share=0.65),
    Row("attention, 24 heads of 128, 8190 tokens", "attention-8190", 3.3, share=0.65),
    Row("TI2V-5B transformer, 320 tokens", "ti2v-5b-320", 1.35),
    Row("TI2V-5B transformer, 1080 tokens", "ti2v-5b-1080", 1.35),
    Row("TI2V-5B transformer, 2420 tokens", "ti2v-5b-2420", 1.5),
    Row("TI2V-5B transformer, 8190 tokens", "ti2v-5b-8190", 2.1),
    Row("TI2V-5B transformer in int8, 2420 tokens", "ti2v-5b-2420", 2.4, ours="ours-int8"),
    Row("T2V-A14B transformer, 2 layers, 1560 tokens", "t2v-a14b-1560", 1.35),
    Row("UMT5, 60 real tokens", "umt5-60", 6),
    Row("UMT5, 512 real tokens", "umt5-512", 1.1),
    *vae_rows("2.2"),
    *vae_rows("2.1"),
]
