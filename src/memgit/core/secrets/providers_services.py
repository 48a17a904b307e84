"""Key formats of chat, mail, payment, shop and social services."""

from __future__ import annotations

import binascii

from memgit.core.secrets.shapes import Shape, shape


def _starts_with_a_snowflake(token: bytes) -> bool:
    """The first part of a bot token is the bot's number in base64; take what merely looks so, too, unless wordy."""
    head = token.split(b".")[0]
    try:
        if binascii.a2b_base64(head + b"==").isdigit():
            return True
    except binascii.Error:
        pass
    return any(48 <= c <= 57 for c in token) and any(65 <= c <= 90 for c in head[1:])


SHAPES: tuple[Shape, ...] = (
    shape("slack-token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd-", rb"xox[bparsocd]-[A-Za-z0-9%/+-]{20,250}"),
    shape("slack-token", "xoxe- xoxe.", rb"xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{100,250}"),
    shape("slack-app-token", "xapp- xwfp-", rb"(?:xapp|xwfp)-\d-[A-Z0-9]{8,14}-\d{10,14}-[0-9a-f]{40,80}"),
    shape(
        "slack-webhook",
        "hooks.slack.com/",
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]{6,14}/[A-Z0-9]{6,20}/[A-Za-z0-9]{16,40}",
    ),
    shape("discord-webhook", "/api/webhooks/", rb"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}"),
    shape(
        "discord-bot-token",
        ".",
        rb"[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_.-])",
        _starts_with_a_snowflake,
    ),
    shape("telegram-bot-token", ":AA", rb"\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])"),
    shape(
        "teams-webhook",
        ".webhook.office.com/",
        rb"\.webhook\.office\.com/webhookb2/[0-9a-f-]{36}@[A-Za-z0-9/-]{60,160}",
    ),
    shape(
        "google-chat-webhook",
        "chat.googleapis.com/",
        rb"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]{6,20}/messages\?key=[A-Za-z0-9_-]{30,50}&token=[A-Za-z0-9_%-]{30,60}",
    ),
    shape("zapier-webhook", "hooks.zapier.com/", rb"hooks\.zapier\.com/hooks/catch/\d{4,10}/[A-Za-z0-9]{6,12}"),
    # Payment
    shape("stripe-key", "_live_ _test_", rb"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    shape("stripe-webhook-secret", "whsec_", rb"whsec_[A-Za-z0-9+/]{24,64}={0,2}"),
    shape("square-token", "sq0", rb"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,43}(?![A-Za-z0-9_-])"),
    shape("square-token", "EAAA", rb"EAAA[A-Za-z0-9_-]{60}(?![A-Za-z0-9_-])"),
    shape("paypal-token", "access_token$", rb"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
    shape("plaid-token", "access-", rb"access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f-]{27}"),
    shape("mollie-key", "live_", rb"live_[A-Za-z0-9]{30}(?![A-Za-z0-9_])"),
    shape("razorpay-key", "rzp_", rb"rzp_(?:live|test)_[A-Za-z0-9]{14,24}"),
    shape("flutterwave-key", "FLWSECK", rb"FLWSECK(?:_TEST|_PROD)?-[0-9A-Za-z]{12,40}"),
    shape("easypost-key", "EZAK EZTK", rb"EZ[AT]K[A-Za-z0-9]{54}"),
    shape("shippo-token", "shippo_", rb"shippo_(?:live|test)_[0-9a-f]{40}"),
    shape("duffel-token", "duffel_", rb"duffel_(?:live|test)_[A-Za-z0-9_=-]{40,50}"),
    # Shops
    shape("shopify-token", "shpat_ shpca_ shppa_ shpss_ shpua_", rb"shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}"),
    shape("woocommerce-key", "cs_ ck_", rb"c[sk]_[0-9a-f]{40}"),
    # Mail and telephone
    shape("twilio-api-key", "SK", rb"SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    shape("sendgrid-key", "SG.", rb"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    shape("mailgun-key", "key-", rb"key-[0-9a-f]{32}(?![A-Za-z0-9])"),
    shape("mailgun-key", "-", rb"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![A-Za-z0-9-])"),
    shape("mailchimp-key", "-us", rb"[0-9a-f]{32}-us\d{1,2}(?![A-Za-z0-9])"),
    shape("brevo-key", "xkeysib- xsmtpsib-", rb"x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    shape("resend-key", "re_", rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,28}(?![A-Za-z0-9_])"),
    shape("mailersend-token", "mlsn.", rb"mlsn\.[0-9a-f]{64}"),
    shape("hubspot-token", "pat-", rb"pat-(?:na|eu|ap)\d-[0-9a-f]{8}-[0-9a-f-]{27}"),
    shape("intercom-token", "dG9rO", rb"dG9rO[A-Za-z0-9+/]{50,60}={0,2}"),
    # Social and files
    shape("facebook-token", "EAA", rb"EAA[A-Za-z0-9]{90,300}"),
    shape("dropbox-token", "sl.", rb"sl\.(?:u\.)?[A-Za-z0-9_-]{120,1400}"),
    shape("salesforce-token", "00D", rb"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{80,130}"),
)
