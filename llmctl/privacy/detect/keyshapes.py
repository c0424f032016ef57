"""What keys and tokens look like, by what they begin with.

A line is: name, beginnings, the whole as a pattern. A beginning is looked for as plain text, which
takes next to no time, and only where it stands is the pattern compiled and tried. All repetitions
are bounded. What has no beginning of its own (Mistral, Cohere, Azure) is found by `key=value`.
"""

_W = r"[A-Za-z0-9_\-]"
_A = r"[A-Za-z0-9]"

SHAPES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    # Providers of models
    ("anthropic-key", ("sk-ant-",), rf"sk-ant-{_W}{{24,200}}"),
    ("openrouter-key", ("sk-or-",), rf"sk-or-(?:v[0-9]-)?{_A}{{32,80}}"),
    ("openai-key", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-", "sk-service-"),
     rf"sk-(?:proj|svcacct|admin|None|service)-{_W}{{20,300}}"),
    ("langfuse-key", ("sk-lf-",), r"sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("api-key", ("sk-",), rf"sk-(?:{_A}{{20}}T3BlbkFJ{_A}{{20}}|[0-9a-f]{{32}}|{_A}{{32,64}})"),
    ("google-key", ("AIza",), rf"AIza{_W}{{33,39}}"),
    ("google-key", ("AQ.Ab",), rf"AQ\.Ab{_W}{{40,120}}"),
    ("google-token", ("ya29.",), rf"ya29\.{_W}{{20,300}}"),
    ("google-secret", ("GOCSPX-",), rf"GOCSPX-{_W}{{28}}"),
    ("huggingface-token", ("hf_", "api_org_"), rf"(?:hf_|api_org_){_A}{{30,40}}"),
    ("yandex-key", ("AQVN",), rf"AQVN{_W}{{30,60}}"),
    ("yandex-token", ("t1.",), rf"t1\.{_W}{{10,1200}}=?=?\.{_W}{{86}}=?=?"),
    ("yandex-oauth", ("y0_", "y1_", "y2_", "y3_"), rf"y[0-3]_{_W}{{50,80}}"),
    ("yandex-oauth", ("AQAAAA", "AgAAAA"), rf"A[Qg]AAAA{_W}{{33}}"),
    ("yandex-static-key", ("YC",), rf"YC(?:{_W}{{38}}|AJ{_W}{{21}})"),
    ("groq-key", ("gsk_",), rf"gsk_{_A}{{40,60}}"),
    ("xai-key", ("xai-",), rf"xai-{_A}{{60,100}}"),
    ("perplexity-key", ("pplx-",), rf"pplx-{_A}{{40,64}}"),
    ("together-key", ("tgp_v1_",), rf"tgp_v1_{_W}{{40,48}}"),
    ("cerebras-key", ("csk-",), rf"csk-{_A}{{40,56}}"),
    ("fireworks-key", ("fw_",), rf"fw_{_A}{{22,40}}"),
    ("nvidia-key", ("nvapi-",), rf"nvapi-{_W}{{60,80}}"),
    ("replicate-token", ("r8_",), rf"r8_{_A}{{37,40}}"),
    ("langsmith-key", ("lsv2_",), r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    ("tavily-key", ("tvly-",), rf"tvly-(?:dev-|prod-)?{_A}{{28,40}}"),
    ("jina-key", ("jina_",), rf"jina_{_W}{{56,64}}"),
    ("voyage-key", ("pa-",), rf"pa-{_W}{{43}}"),
    # Code and packages
    ("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), rf"gh[pousr]_{_A}{{36,255}}"),
    ("github-token", ("github_pat_",), rf"github_pat_{_A}{{22}}_{_A}{{59}}"),
    ("gitlab-token",
     ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "gloas-", "glagent-", "glsoat-", "glft-"),
     rf"gl(?:pat|dt|rt|cbt|ptt|oas|agent|soat|ft)-{_W}{{20,100}}(?:\.{_W}{{2,30}}){{0,2}}"),
    ("npm-token", ("npm_",), rf"npm_{_A}{{36}}"),
    ("pypi-token", ("pypi-AgE",), rf"pypi-AgE{_W}{{50,400}}"),
    ("rubygems-key", ("rubygems_",), r"rubygems_[0-9a-f]{48}"),
    ("docker-token", ("dckr_pat_", "dckr_oat_"), rf"dckr_[po]at_{_W}{{24,40}}"),
    ("bitbucket-token", ("ATBB", "ATCTT3", "ATATT3"),
     rf"AT(?:BB{_A}{{32}}|(?:CT|AT)T3[\w\-=]{{60,250}})"),
    # Clouds
    ("aws-key", ("AKIA", "ASIA", "ABIA"), r"A[KSB]IA[A-Z2-7]{16}"),
    ("azure-storage-key", ("AccountKey=",), r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[0-9a-f]{64}"),
    ("databricks-token", ("dapi",), r"dapi[0-9a-f]{32}(?:-[0-9])?"),
    ("vault-token", ("hvs.", "hvb."), rf"hv[sb]\.{_W}{{24,300}}"),
    ("doppler-token", ("dp.pt.", "dp.st.", "dp.ct."),
     rf"dp\.[psc]t\.(?:[a-z0-9\-_]{{2,35}}\.)?{_A}{{40,44}}"),
    ("grafana-token", ("glsa_", "glc_"),
     rf"gl(?:sa_{_A}{{32}}_[0-9a-fA-F]{{8}}|c_[A-Za-z0-9+/=]{{60,200}})"),
    ("newrelic-key", ("NRAK-",), r"NRAK-[A-Z0-9]{27}"),
    ("sentry-token", ("sntrys_", "sntryu_"), r"sntry[su]_[A-Za-z0-9+/=_]{40,250}"),
    ("pulumi-token", ("pul-",), r"pul-[0-9a-f]{40}"),
    ("heroku-key", ("HRKU-",), rf"HRKU-{_W}{{36,70}}"),
    ("supabase-token", ("sbp_",), r"sbp_[0-9a-f]{40}"),
    ("alibaba-key", ("LTAI",), rf"LTAI{_A}{{16,26}}"),
    # People and payments
    ("slack-token",
     ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xoxc-", "xoxd-"),
     r"xox(?:[abceprs][.\-](?:xox[bp]-)?[A-Za-z0-9%\-]{20,250}|d-[A-Za-z0-9%+/=\-]{20,250})"),
    ("slack-token", ("xapp-",), rf"xapp-[0-9]-{_W}{{30,120}}"),
    ("slack-webhook", ("hooks.slack.com/",),
     rf"hooks\.slack\.com/(?:services|workflows)"
     rf"/T{_A}{{8,12}}/[AB]{_A}{{8,12}}/{_A}{{20,32}}"),
    ("discord-webhook", ("/api/webhooks/",), rf"/api/webhooks/[0-9]{{17,20}}/{_W}{{60,72}}"),
    ("stripe-key", ("sk_live_", "rk_live_"), rf"[rs]k_live_{_A}{{20,250}}"),
    ("stripe-secret", ("whsec_",), r"whsec_[A-Za-z0-9+/=]{28,64}"),
    ("square-token", ("sq0atp-", "sq0csp-"), rf"sq0(?:atp|csp)-{_W}{{22,50}}"),
    ("shopify-token", ("shpat_", "shpss_", "shpca_", "shppa_"),
     r"shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"),
    ("sendgrid-key", ("SG.",), rf"SG\.{_W}{{20,24}}\.{_W}{{39,50}}"),
    ("linear-key", ("lin_api_",), rf"lin_api_{_A}{{40}}"),
    ("notion-token", ("ntn_",), rf"ntn_{_A}{{40,50}}"),
    ("postman-key", ("PMAK-",), r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("figma-token", ("figd_",), rf"figd_{_W}{{38,46}}"),
    ("vk-token", ("vk1.a.",), rf"vk1\.a\.{_W}{{80,300}}"),
    ("age-key", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("flyio-token", ("FlyV1 ",), r"FlyV1 fm[12][ar]?_[A-Za-z0-9+/=,_\-]{60,900}"),
)  # fmt: skip

# What has its mark in the middle: name, mark, what stands before it, what follows from it on.
MIDDLES: tuple[tuple[str, str, str, str], ...] = (
    ("telegram-token", ":AA", r"[0-9]{8,10}", rf":AA{_W}{{30,36}}"),
    ("azure-secret", "8Q~", r"[A-Za-z0-9_~.\-]{3}", r"8Q~[A-Za-z0-9_~.\-]{31,34}"),
    ("terraform-token", ".atlasv1.", rf"{_A}{{14}}", rf"\.atlasv1\.{_W}{{60,70}}"),
    ("mailchimp-key", "-us", r"[0-9a-f]{32}", r"-us[0-9]{1,2}"),
)
