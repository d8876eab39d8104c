"""The demo model's network in torch: a small Llama with interleaved rotary embedding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHORT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the network; row sizes are multiples of 32 because Q8_0 works in blocks of 32."""

    num_layers: int = 4
    width: int = 256
    num_heads: int = 8
    num_kv_heads: int = 4
    ffn_width: int = 704
    num_tokens: int = 2048
    context: int = 1024
    rope_theta: float = 10000.0
    rms_eps: float = 1e-5

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.num_heads


def rope_table(shape: Shape) -> Tensor:
    """Cosines and sines, [2, context, head_width / 2]."""
    half = torch.arange(0, shape.head_width, 2, dtype=torch.float32) / shape.head_width
    angles = torch.outer(torch.arange(shape.context).float(), shape.rope_theta**-half)
    return torch.stack((angles.cos(), angles.sin()))


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotate neighbouring pairs (2i, 2i+1): llama.cpp's layout, so weights need no permutation."""
    cos, sin = table[:, : x.shape[-2]].to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention; on short rows plain matrices are several times faster than torch's own."""
    length = q.shape[-2]
    if length > SHORT:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    future = torch.full((length, length), float("-inf"), dtype=scores.dtype).triu_(1)
    return torch.softmax(scores + future, dim=-1).to(v.dtype) @ v


class TopicHead(nn.Module):
    """Guesses a question's topic from the middle of the network; training only, never exported."""

    def __init__(self, shape: Shape, num_topics: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(shape.width, eps=shape.rms_eps)
        self.topics = nn.Linear(shape.width, num_topics, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.topics(self.norm(x))


class Layer(nn.Module):
    """Attention and SwiGLU feed-forward, both behind an RMS norm."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.num_kv_heads * shape.head_width
        self.attn_norm = nn.RMSNorm(shape.width, eps=shape.rms_eps)
        self.qkv = nn.Linear(shape.width, shape.width + 2 * kv_width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=shape.rms_eps)
        self.gate_up = nn.Linear(shape.width, 2 * shape.ffn_width, bias=False)
        self.ffn_down = nn.Linear(shape.ffn_width, shape.width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        s = self.shape
        batch, length, _ = x.shape
        kv_width = s.num_kv_heads * s.head_width
        q, k, v = self.qkv(self.attn_norm(x)).split((s.width, kv_width, kv_width), dim=-1)
        q = rotate(q.view(batch, length, s.num_heads, s.head_width).transpose(1, 2), table)
        k = rotate(k.view(batch, length, s.num_kv_heads, s.head_width).transpose(1, 2), table)
        v = v.view(batch, length, s.num_kv_heads, s.head_width).transpose(1, 2)
        group = s.num_heads // s.num_kv_heads
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        attended = attend(q, k, v)
        attended = attended.transpose(1, 2).reshape(batch, length, s.width)
        x = x + self.dropout(self.attn_output(attended))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.dropout(self.ffn_down(F.silu(gate) * up))


class Network(nn.Module):
    """The whole model; the output matrix is the embedding, as llama.cpp takes it then."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.num_tokens, shape.width)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.num_layers))
        self.output_norm = nn.RMSNorm(shape.width, eps=shape.rms_eps)
        self.register_buffer("table", rope_table(shape), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() > 1 and weight is not self.token_embd.weight:
                is_output = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5 * (0.5 if is_output else 1.0))
        nn.init.normal_(self.token_embd.weight, std=0.02)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states before the output matrix and in the middle, [batch, length, width]."""
        x = middle = self.token_embd(tokens)
        for index, layer in enumerate(self.layers):
            x = layer(x, self.table)
            if index == len(self.layers) // 2 - 1:
                middle = x
        return self.output_norm(x), middle

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token."""
        return F.linear(hidden, self.token_embd.weight)

    def tensors(self) -> dict[str, Tensor]:
        """Weights under their GGUF names."""
        s = self.shape
        kv_width = s.num_kv_heads * s.head_width
        found = {
            "token_embd.weight": self.token_embd.weight,
            "output_norm.weight": self.output_norm.weight,
        }
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            q, k, v = layer.qkv.weight.split((s.width, kv_width, kv_width))
            gate, up = layer.gate_up.weight.chunk(2)
            named = {
                "attn_norm": layer.attn_norm.weight,
                "attn_q": q,
                "attn_k": k,
                "attn_v": v,
                "attn_output": layer.attn_output.weight,
                "ffn_norm": layer.ffn_norm.weight,
                "ffn_gate": gate,
                "ffn_up": up,
                "ffn_down": layer.ffn_down.weight,
            }
            found.update({f"blk.{index}.{name}.weight": w for name, w in named.items()})
        return {name: weight.detach().float() for name, weight in found.items()}
