"""How many operations the parts must do: two per weight and position, by the plain algorithm.

What depends on the prompt or the timestep alone is left out: it is done once, not for every token.
"""

# Width, feed-forward, layers, latent channels in and out.
MODELS = {"ti2v-5b": (3072, 14336, 30, 48, 48), "t2v-a14b": (5120, 13824, 40, 16, 16)}
TEXT_ROWS = 512


def attention(queries, keys, width):
    return 4 * queries * keys * width


def transformer(tokens, model="ti2v-5b", layers=None):
    """A pass over one prompt: q, k, v and o of self-attention, q and o of cross-attention, the feed-forward."""
    width, feed_forward, depth, channels_in, channels_out = MODELS[model]
    linears = 2 * tokens * (6 * width * width + 2 * width * feed_forward)
    layer = linears + attention(tokens, tokens, width) + attention(tokens, TEXT_ROWS, width)
    patches = 2 * tokens * width * 4 * (channels_in + channels_out)
    return layer * (layers or depth) + patches


def text_encoder(tokens, width=4096, feed_forward=10240, layers=24):
    linears = 2 * tokens * (4 * width * width + 3 * width * feed_forward)
    return layers * (linears + attention(tokens, tokens, width))


def of_result(result, key, peers):
    """The operations behind one of our results, or None.

    Those of the VAE are what the peer's convolutions counted, at `<direction>_tflop` of its results.
    """
    part = result["part"]
    if part == "gemm":
        return 2 * result["m"] * result["k"] * result["n"]
    if part == "attention":
        return attention(result["tokens"], result["tokens"], result["heads"] * 128)
    if part == "transformer":
        return transformer(result["tokens"], result["model"], result["layers"])
    if part == "text":
        return text_encoder(result["tokens"])
    counted = [peer[name] for peer in peers if (name := key.replace("_seconds", "_tflop")) in peer]
    return counted[0] * 1e12 if counted else None
