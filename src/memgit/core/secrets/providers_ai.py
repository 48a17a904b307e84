"""Key formats of model providers and the tools around them, as their documentation and consoles show them."""

from __future__ import annotations

from memgit.core.secrets.shapes import Shape, shape

SHAPES: tuple[Shape, ...] = (
    shape("anthropic-key", "sk-ant-", rb"sk-ant-[a-z]{2,10}\d{2}-[A-Za-z0-9_-]{40,200}"),
    shape(
        "openai-key",
        "sk-proj- sk-svcacct- sk-admin- sk-None-",
        rb"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,250}",
    ),
    shape("openai-key", "T3BlbkFJ", rb"sk-[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}"),
    shape("openai-session", "sess-", rb"sess-[A-Za-z0-9]{40}"),
    shape("openrouter-key", "sk-or-v", rb"sk-or-v\d-[0-9a-f]{60,70}"),
    # Many services copied the plain form: DeepSeek, Moonshot, DashScope, Stability, LiteLLM, self-hosted proxies.
    shape("sk-key", "sk-", rb"sk-[A-Za-z0-9]{22,64}(?![A-Za-z0-9_-])"),
    shape("langfuse-key", "sk-lf-", rb"sk-lf-[0-9a-f-]{36}"),
    shape("helicone-key", "sk-helicone-", rb"sk-helicone-(?:[a-z]{2}-)?[a-z0-9]{7,10}-[a-z0-9-]{15,40}"),
    shape("groq-key", "gsk_", rb"gsk_[A-Za-z0-9]{48,60}"),
    shape("perplexity-key", "pplx-", rb"pplx-[A-Za-z0-9]{40,60}"),
    shape("xai-key", "xai-", rb"xai-[A-Za-z0-9]{70,100}"),
    shape("cerebras-key", "csk-", rb"csk-[a-z0-9]{40,56}"),
    shape("fireworks-key", "fw_", rb"fw_[A-Za-z0-9]{22,48}(?![A-Za-z0-9_])"),
    shape("nvidia-key", "nvapi-", rb"nvapi-[A-Za-z0-9_-]{60,80}"),
    shape("voyage-key", "pa-", rb"pa-[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    shape("jina-key", "jina_", rb"jina_[A-Za-z0-9_-]{56,70}"),
    shape("tavily-key", "tvly-", rb"tvly-(?:dev-|prod-)?[A-Za-z0-9_-]{28,60}"),
    shape("firecrawl-key", "fc-", rb"fc-[0-9a-f]{32}(?![0-9a-f-])"),
    shape("e2b-key", "e2b_", rb"e2b_[0-9a-f]{40}"),
    shape("pinecone-key", "pcsk_", rb"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,70}"),
    shape("elevenlabs-key", "sk_", rb"sk_[0-9a-f]{48}(?![0-9a-f])"),
    shape("langsmith-key", "lsv2_", rb"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    shape("huggingface-token", "hf_", rb"hf_[A-Za-z0-9]{30,40}(?![A-Za-z0-9_])"),
    shape("huggingface-token", "api_org_", rb"api_org_[A-Za-z0-9]{30,40}"),
    shape("replicate-token", "r8_", rb"r8_[A-Za-z0-9]{35,42}"),
    shape("wandb-key", "wandb_v", rb"wandb_v\d_[A-Za-z0-9_-]{60,90}"),
    shape("composio-key", "comp_", rb"comp_[A-Za-z0-9_-]{20,40}(?![A-Za-z0-9_-])"),
)
