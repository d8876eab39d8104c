"""A real llama-architecture model of under 1 MB with random weights, for tests in milliseconds.

It speaks word salad, but through the real llama.cpp: SPM tokenizer with byte fallback, Zephyr chat
template, two layers, grouped attention. The same seed always writes the same file.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

CHAT_TEMPLATE = (
    "{% for message in messages %}\n"
    "{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n"
    "{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n"
    "{{ '<|assistant|>' }}\n"
    "{% endif %}\n"
    "{% endfor %}"
)

_WORD_TEXT = """
the a and of to in is you that it he was for on are as with his they at be this have from or
one had by word but not what all were we when your can said there use an each which she do how
their if will up other about out many then them these so some her would make like him into
time has look two more write go see number no way could people my than first water been call
who oil its now find long down day did get come made may part pool model answer question hello
thanks user system assistant small site chat
"""
WORDS = _WORD_TEXT.split()

EMBED, HEADS, KV_HEADS, HEAD_DIM, FEED_FORWARD, LAYERS = 64, 2, 1, 32, 96, 2


def vocabulary() -> tuple[list[str], list[float], list[gguf.TokenType]]:
    """Pieces, scores and types: <unk> <s> </s>, 256 bytes, whole words and all that leads to them.

    SPM merges pairs of neighbours, so every prefix of a word has to be a piece as well.
    """
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    types += [gguf.TokenType.BYTE] * 256
    grown: dict[str, None] = {}
    for word in WORDS:
        spaced = "\u2581" + word
        for end in range(2, len(spaced) + 1):
            grown.setdefault(spaced[:end])
    characters = ["\u2581", *(chr(code) for code in range(0x21, 0x7F))]
    ordered = [*sorted(grown, key=len), *characters]
    pieces += ordered
    types += [gguf.TokenType.NORMAL] * len(ordered)
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(ordered))]
    return pieces, scores, types


def build_tiny_model(
    path: Path,
    *,
    n_ctx: int = 512,
    seed: int = 0,
    name: str = "Tiny Test",
    speaks_freely: bool = False,
    chat_template: str | None = CHAT_TEMPLATE,
    architecture: str = "llama",
) -> Path:
    """Write the model to ``path`` and return it.

    n_ctx: context length it claims to be trained for, in tokens.
    speaks_freely: False (default) makes it never say a control token, a lone byte or a role-marker
        character, so answers run to max_tokens and are plain words; True lets it say anything,
        invalid UTF-8 and end-of-turn included.
    """
    path = Path(path)
    pieces, scores, types = vocabulary()
    rng = np.random.default_rng(seed)

    def weights(rows: int, columns: int, scale: float) -> np.ndarray:
        return (rng.standard_normal((rows, columns)) * scale).astype(np.float32)

    embeddings = weights(len(pieces), EMBED, 0.5)
    output = weights(len(pieces), EMBED, 0.6)
    # Dimension 0 is the same for every token and no layer writes to it: with it an output row can
    # carry a bias, which the architecture itself does not have.
    embeddings[:, 0] = 4.0
    output[:, 0] = 0.0
    if not speaks_freely:
        for index, piece in enumerate(pieces):
            if types[index] is not gguf.TokenType.NORMAL or not piece.strip("\u2581").isalpha():
                output[index, 0] = -20.0

    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_context_length(n_ctx)
    writer.add_embedding_length(EMBED)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(pieces))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores(scores)
    writer.add_token_types([int(kind) for kind in types])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)

    writer.add_tensor("token_embd.weight", embeddings)
    writer.add_tensor("output_norm.weight", np.ones(EMBED, dtype=np.float32))
    writer.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        writer.add_tensor(f"{block}.attn_norm.weight", np.ones(EMBED, dtype=np.float32))
        writer.add_tensor(f"{block}.attn_q.weight", weights(HEADS * HEAD_DIM, EMBED, 0.2))
        writer.add_tensor(f"{block}.attn_k.weight", weights(KV_HEADS * HEAD_DIM, EMBED, 0.2))
        writer.add_tensor(f"{block}.attn_v.weight", weights(KV_HEADS * HEAD_DIM, EMBED, 0.2))
        attention_out = weights(EMBED, HEADS * HEAD_DIM, 0.2)
        attention_out[0] = 0.0
        writer.add_tensor(f"{block}.attn_output.weight", attention_out)
        writer.add_tensor(f"{block}.ffn_norm.weight", np.ones(EMBED, dtype=np.float32))
        writer.add_tensor(f"{block}.ffn_gate.weight", weights(FEED_FORWARD, EMBED, 0.2))
        writer.add_tensor(f"{block}.ffn_up.weight", weights(FEED_FORWARD, EMBED, 0.2))
        feed_forward_out = weights(EMBED, FEED_FORWARD, 0.2)
        feed_forward_out[0] = 0.0
        writer.add_tensor(f"{block}.ffn_down.weight", feed_forward_out)

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
