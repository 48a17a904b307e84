"""Key formats of clouds, hosting, databases, secret stores and monitoring."""

from __future__ import annotations

from memgit.core.secrets.shapes import Shape, shape

SHAPES: tuple[Shape, ...] = (
    # Base 32 after the prefix; AROA, AIDA and the like name things and are no credentials.
    shape("aws-access-key-id", "AKIA ASIA ABIA ACCA", rb"A(?:KI|SI|BI|CC)A[A-Z2-7]{16}(?![A-Za-z0-9])"),
    shape("aws-bedrock-key", "ABSK", rb"ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    shape("aws-bedrock-key", "bedrock-api-key-", rb"bedrock-api-key-[A-Za-z0-9+/=_-]{60,}"),
    shape("aws-mws-token", "amzn.mws.", rb"amzn\.mws\.[0-9a-f]{8}-[0-9a-f-]{27}"),
    shape("google-api-key", "AIza", rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    shape("google-client-secret", "GOCSPX-", rb"GOCSPX-[A-Za-z0-9_-]{28}"),
    shape("google-access-token", "ya29.", rb"ya29\.[A-Za-z0-9_-]{40,}"),
    shape("google-refresh-token", "1//0", rb"1//0[A-Za-z0-9_-]{40,}"),
    shape("azure-storage-key", "AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{80,}={0,2}"),
    shape("azure-shared-access-key", "SharedAccessKey=", rb"SharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}"),
    shape("azure-client-secret", "Q~", rb"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,35}(?![A-Za-z0-9_~-])"),
    shape("azure-sas", "sig=", rb"sig=[A-Za-z0-9%+/]{43,60}(?:=|%3[Dd])"),
    # Keys since 2024 carry a fixed mark in the middle.
    shape("azure-key", "JQQJ99", rb"[A-Za-z0-9]{40,60}JQQJ99[A-Za-z0-9]{20,30}"),
    shape("azure-devops-token", "AZDO", rb"[A-Za-z0-9]{70,80}AZDO[A-Za-z0-9]{4}"),
    shape("digitalocean-token", "_v1_", rb"do[opr]_v1_[0-9a-f]{60,64}"),
    shape("heroku-key", "HRKU-", rb"HRKU-[A-Za-z0-9_-]{36,70}"),
    shape("netlify-token", "nfp_ nfc_ nfo_ nfu_ nfb_", rb"nf[pcoub]_[A-Za-z0-9]{36,60}"),
    shape("vercel-token", "vcp_ vci_ vca_ vcr_ vck_", rb"vc[piark]_[A-Za-z0-9]{24,80}(?![A-Za-z0-9_])"),
    shape("vercel-blob-token", "vercel_blob_rw_", rb"vercel_blob_rw_[A-Za-z0-9]{10,24}_[A-Za-z0-9]{24,40}"),
    shape("fly-token", "fo1_", rb"fo1_[A-Za-z0-9_-]{40,50}"),
    shape("fly-token", "fm1_ fm2_ fm1r_ fm1a_ fm2r_ fm2a_", rb"fm[12][ar]?_[A-Za-z0-9+/=_-]{80,}"),
    shape("railway-token", "rlwy_", rb"rlwy_[A-Za-z0-9_-]{30,60}"),
    shape("render-key", "rnd_", rb"rnd_[A-Za-z0-9]{28,40}(?![A-Za-z0-9_])"),
    shape("cloudflare-ca-key", "v1.0-", rb"v1\.0-[0-9a-f]{24}-[0-9a-f]{140,150}"),
    shape("planetscale-token", "pscale_", rb"pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.=-]{32,64}"),
    shape("supabase-token", "sbp_", rb"sbp_(?:v0_|oauth_)?[0-9a-f]{40}"),
    shape("supabase-secret-key", "sb_secret_", rb"sb_secret_[A-Za-z0-9_-]{22,48}"),
    shape("neon-key", "napi_", rb"napi_[a-z0-9]{60,68}"),
    shape("atlas-secret", "mdb_sa_sk_", rb"mdb_sa_sk_[A-Za-z0-9_-]{38,44}"),
    shape("databricks-token", "dapi dkea dose dsapi", rb"(?:dapi|dkea|dose|dsapi)[0-9a-f]{32}(?:-\d)?(?![0-9a-f])"),
    shape("tailscale-key", "tskey-", rb"tskey-[a-z]{3,10}-[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,48}"),
    shape("alibaba-key-id", "LTAI", rb"LTAI[A-Za-z0-9]{16,22}(?![A-Za-z0-9])"),
    shape("tencent-key-id", "AKID", rb"AKID[A-Za-z0-9]{30,36}(?![A-Za-z0-9])"),
    shape("yandex-key", "AQVN", rb"AQVN[A-Za-z0-9_-]{35,38}(?![A-Za-z0-9_-])"),
    shape("scaleway-key", "SCW", rb"SCW[A-Z0-9]{17}(?![A-Za-z0-9])"),
    shape("hetzner-token", "hcloud_", rb"hcloud_[A-Za-z0-9]{40,64}"),
    shape("cloudinary-url", "cloudinary://", rb"cloudinary://\d{10,20}:[A-Za-z0-9_-]{20,40}"),
    # Secret stores and infrastructure tools
    shape("vault-token", "hvs. hvb. hvr.", rb"hv[sbr]\.[A-Za-z0-9_-]{24,300}"),
    shape("terraform-cloud-token", ".atlasv1.", rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}"),
    shape("doppler-token", "dp.", rb"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    shape("infisical-token", "st.", rb"st\.[0-9a-f]{24}\.[0-9a-f]{32}\.[0-9a-f]{32}"),
    shape("1password-token", "ops_eyJ", rb"ops_eyJ[A-Za-z0-9_-]{100,}={0,2}"),
    shape(
        "1password-secret-key",
        "A3-",
        rb"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
    ),
    shape("pulumi-token", "pul-", rb"pul-[0-9a-f]{40}"),
    shape("prefect-key", "pnu_ pnb_", rb"pn[ub]_[A-Za-z0-9]{36}"),
    shape("ngrok-token", "_", rb"2[A-Za-z0-9]{26}_[A-Za-z0-9]{21,25}(?![A-Za-z0-9_])"),
    # Monitoring
    shape("grafana-token", "glsa_", rb"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}"),
    shape("grafana-token", "glc_", rb"glc_[A-Za-z0-9+/]{32,400}={0,2}"),
    shape("sentry-token", "sntryu_ sntrya_ sntryi_", rb"sntry[uai]_[0-9a-f]{64}"),
    shape("sentry-token", "sntrys_", rb"sntrys_[A-Za-z0-9+/=_-]{60,}"),
    shape("newrelic-key", "NRAK- NRAL- NRII- NRIQ- NRAA-", rb"NR(?:AK|AL|II|IQ|AA)-[A-Za-z0-9_-]{24,46}"),
    shape("newrelic-license", "NRAL FFFFNRAL", rb"[0-9a-f]{32,36}(?:FFFF)?NRAL(?![A-Za-z0-9])"),
    shape("dynatrace-token", "dt0", rb"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    shape("datadog-token", "ddapp_ ddpat_ ddp_", rb"dd(?:app|pat|p)_[A-Za-z0-9]{30,80}"),
    shape("honeycomb-key", "hcaik_ hcbik_ hcxik_ hcamk_ hcbmk_ hcxmk_", rb"hc[abx][im]k_[a-z0-9]{50,64}"),
    shape("posthog-key", "phx_ phs_", rb"ph[xs]_[A-Za-z0-9]{40,60}"),
    shape(
        "launchdarkly-key", "sdk- api-", rb"(?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    ),
)
