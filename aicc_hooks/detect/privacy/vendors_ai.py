"""Token formats of model vendors and what stands around them: (entity, literal anchors, pattern that starts at the anchor).

Sources are the vendors' own documentation of their formats. Lengths are lower bounds where vendors vary them.
"""

from __future__ import annotations

from typing import Final

_A = r"[A-Za-z0-9]"
_W = r"[A-Za-z0-9_-]"
_H = r"[a-f0-9]"

FORMATS: Final[tuple[tuple[str, str, str], ...]] = (
    ("vendor_token", "ABSK", r"ABSK[A-Za-z0-9+/]{60,280}={0,2}"),
    ("anthropic_key", "sk-ant-", rf"sk-ant-(?:api\d\d|admin\d\d|oat\d\d|ort\d\d|sid\d\d)?-?{_W}{{24,300}}"),
    ("vendor_token", "sk-or-v1- sk-lf- pk-lf-", rf"(?:sk-or-v1|[sp]k-lf)-{_W}{{24,120}}"),
    ("openai_key", "sk-proj- sk-svcacct- sk-admin- sk-None-", rf"sk-(?:proj|svcacct|admin|None)-{_W}{{20,300}}"),
    ("openai_key", "sk-", rf"sk-{_A}{{20}}T3BlbkFJ{_A}{{20}}"),
    ("openai_key", "sk-", rf"sk-{_A}{{40,64}}(?![A-Za-z0-9_-])"),
    ("api_key", "sk-", rf"sk-{_A}{{20,39}}(?![A-Za-z0-9_-])"),
    ("api_key", "sk-", rf"sk-{_W}{{18,120}}(?![A-Za-z0-9_-])"),
    ("google_api_key", "AIza", rf"AIza{_W}{{35}}(?![A-Za-z0-9_-])"),
    ("huggingface_token", "hf_", rf"hf_{_A}{{30,45}}"),
    ("huggingface_token", "api_org_", rf"api_org_{_A}{{30,45}}"),
    ("vendor_token", "pplx-", rf"pplx-{_A}{{40,64}}"),
    ("vendor_token", "r8_", rf"r8_{_A}{{30,45}}"),
    ("vendor_token", "gsk_", rf"gsk_{_A}{{40,64}}"),
    ("vendor_token", "xai-", rf"xai-{_A}{{60,90}}"),
    ("vendor_token", "fw_", rf"fw_{_A}{{20,30}}(?![A-Za-z0-9_])"),
    ("vendor_token", "nvapi-", rf"nvapi-{_W}{{50,80}}"),
    ("vendor_token", "tvly-", rf"tvly-(?:dev-|prod-)?{_A}{{28,50}}"),
    ("vendor_token", "jina_", rf"jina_{_W}{{40,80}}"),
    ("vendor_token", "pcsk_", r"pcsk_[A-Za-z0-9_]{40,90}"),
    ("vendor_token", "lsv2_", rf"lsv2_(?:pt|sk)_{_H}{{32}}_{_H}{{10}}"),
    ("vendor_token", "sk_", rf"sk_{_H}{{48}}(?![A-Za-z0-9])"),
    ("vendor_token", "fc-", rf"fc-{_H}{{32}}(?![A-Za-z0-9])"),
    ("vendor_token", "e2b_", rf"e2b_{_H}{{40}}"),
    ("google_api_key", "AQ.Ab8RN6", rf"AQ\.Ab8RN6{_W}{{40,60}}"),
    ("vendor_token", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=_-]{60,2000}"),
    ("vendor_token", "tgp_v1_", rf"tgp_v1_{_W}{{38,50}}"),
    ("vendor_token", "csk-", rf"csk-{_A}{{40,60}}"),
    ("vendor_token", "pa-", r"pa-(?=[A-Za-z0-9_-]{0,20}\d)[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    ("vendor_token", "key_ crsr_", rf"(?:key|crsr)_{_H}{{64}}(?![A-Za-z0-9])"),
    ("vendor_token", "wandb_v1_", r"wandb_v1_[A-Za-z0-9_]{60,100}"),
    ("vendor_token", "ak- as-", rf"a[ks]-{_A}{{22}}(?![A-Za-z0-9_-])"),
    ("vendor_token", "ak_", rf"ak_{_W}{{20}}(?![A-Za-z0-9_-])"),
    ("vendor_token", "rpa_", rf"rpa_{_A}{{40,60}}"),
    ("vendor_token", "apk_", r"apk_(?:user_)?[A-Za-z0-9+/]{80,200}={0,2}"),
    ("vendor_token", "cog_", r"cog_[a-z2-7]{52}(?![A-Za-z0-9])"),
    ("vendor_token", "BSA", rf"BSA{_W}{{24,40}}(?![A-Za-z0-9_-])"),
    ("vendor_token", "bb_live_ bb_test_", rf"bb_(?:live|test)_{_W}{{20,60}}"),
)  # fmt: skip
