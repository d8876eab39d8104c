"""Writes the trained demo model as GGUF: Q8_0 matrices, F32 norms, tokenizer and template."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from ai_model.chat_template import ZEPHYR_TEMPLATE

SHA256_KEY = "corral.demo.training_sha256"


def write_gguf(
    path: Path,
    tensors: dict[str, npt.NDArray[np.float32]],
    pieces: list[tuple[str, float, int]],
    *,
    num_layers: int,
    width: int,
    num_heads: int,
    num_kv_heads: int,
    ffn_width: int,
    context: int,
    rope_theta: float,
    rms_eps: float,
    training_sha256: str,
) -> None:
    """Write the model; the file appears under its name only when it is complete.

    Raises OSError when the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    writer = gguf.GGUFWriter(str(part), "llama")
    writer.add_name("Corral Demo")
    writer.add_description("Small demo model of Corral, trained by the project on its own text.")
    writer.add_license("same as the Corral project")
    writer.add_string(SHA256_KEY, training_sha256)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(num_layers)
    writer.add_feed_forward_length(ffn_width)
    writer.add_head_count(num_heads)
    writer.add_head_count_kv(num_kv_heads)
    writer.add_rope_dimension_count(width // num_heads)
    writer.add_rope_freq_base(rope_theta)
    writer.add_layer_norm_rms_eps(rms_eps)
    writer.add_vocab_size(len(pieces))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece for piece, _, _ in pieces])
    writer.add_token_scores([score for _, score, _ in pieces])
    writer.add_token_types([kind for _, _, kind in pieces])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)
    writer.add_chat_template(ZEPHYR_TEMPLATE)
    for name, values in tensors.items():
        if values.ndim == 1:
            writer.add_tensor(name, values)
            continue
        packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)
