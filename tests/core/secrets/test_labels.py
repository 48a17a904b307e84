"""Values that only the words beside them give away, and the many that look alike and are none."""

from __future__ import annotations

import random

import pytest

from memgit.core.secrets import labels
from memgit.core.secrets.scan import scan
from support import fakes

PASSWORD_PLACES = [
    "password: {}",
    "DB_PASSWORD={}",
    "export PGPASSWORD='{}'",
    'smtpPassword = "{}"',
    '{{"user": "bob", "password": "{}"}}',
    '{{"name": "ADMIN_PASSWORD", "value": "{}"}}',
    '{{\\"password\\": \\"{}\\"}}',
    "the db password is {}",
    "The password for the staging server is `{}`.",
    "Password (from the ticket): **{}**",
    "I changed the root password to {} yesterday",
    "log in with password {}",
    "{} is the wifi password",
    "| wifi password | `{}` | guest net |",
    "<password>{}</password>",
    '<add key="password" value="{}"/>',
    "password := {}",
    "password -> {}",
    "password => '{}'",
    "psql --password={}",
    "tool --password {}",
    "sshpass -p {} ssh me@host",
    "curl -u admin:{} https://host.example/",
    "mysql -u root -p{} app",
    "docker login -u me -p {} registry.example",
    "machine host.example login me password {}",
    "login: admin / {}",
    "credentials: me@example.org:{}",
    "passwort: {}",
    "contraseña: {}",
    "contrasena: {}",
    "mot de passe : {}",
    "пароль: {}",
    "密码：{}",
    "pw: {}",
    "The password is:\n\n```\n{}\n```",
    "password: |\n  {}",
    "| service | user | password |\n|---|---|---|\n| mail | bob | {} |",
    "service,user,password\nmail,bob,{}",
    "- **Password:** {}",
]
TOKEN_PLACES = [
    "COHERE_API_KEY={}",
    "api_key: {}",
    'apiKey: "{}"',
    "client_secret = {}",
    "the Mistral api key is {}",
    "X-Api-Key: {}",
    "curl -H 'X-Auth-Token: {}' https://host.example",
    "Authorization: Bearer {}",
    "access token for the bot: {}",
    "https://host.example/hook?access_token={}&x=1",
    "set-cookie: session_cookie={}; Path=/",
    "//registry.npmjs.org/:_authToken={}",
    "webhook secret is `{}`",
    "signing key | {} | prod",
    "ENCRYPTION_KEY={}",
    "The secret is stored nowhere else:\n{}",
    "已创建（app_token: {}），见下表",
]


@pytest.mark.parametrize("place", PASSWORD_PLACES)
def test_password_beside_its_label_is_found(place: str) -> None:
    rnd = random.Random(place)
    missed = [
        value for value in (fakes.password(rnd) for _ in range(20)) if not scan(place.format(value).encode(), b"a.md")
    ]
    assert len(missed) <= 1


@pytest.mark.parametrize("place", TOKEN_PLACES)
def test_token_beside_its_label_is_found(place: str) -> None:
    rnd = random.Random(place)
    drawn = [fakes.letters(rnd, 32) for _ in range(20)]
    assert [value for value in drawn if not scan(place.format(value).encode(), b"a.md")] == []


@pytest.mark.parametrize(
    "text",
    [
        "wallet seed phrase: {}",
        "my recovery phrase is {} so keep it",
        "mnemonic:\n{}",
        '{{"mnemonic": "{}"}}',
    ],
)
def test_seed_phrase_is_found(text: str) -> None:
    words = [
        "abandon",
        "ability",
        "able",
        "about",
        "above",
        "absent",
        "absorb",
        "abstract",
        "absurd",
        "abuse",
        "access",
        "accident",
    ]
    random.Random(4).shuffle(words)
    assert [one.rule for one in scan(text.format(" ".join(words)).encode(), b"a.md")] == ["seed-phrase"]
    numbered = "seed phrase\n" + "\n".join(f"{n}. {word}" for n, word in enumerate(words, 1))
    assert [one.rule for one in scan(numbered.encode(), b"a.md")] == ["seed-phrase"]


@pytest.mark.parametrize(
    "text",
    [
        "password: ${DB_PASSWORD}",
        "password: {{ vault.db_password }}",
        'password = os.environ["DB_PASSWORD"]',
        "password = getpass.getpass()",
        "password: config.db.password",
        "password: op://vault/db/password",
        "password: <your password>",
        "password: ********",
        "password: changeme",
        "password: your-password-here",
        "password: required",
        "password: at-least-12-characters",
        "Password: min 12 chars, one digit",
        "password reset flow: user clicks link, gets mail",
        "password policy: 90 days",
        "password_hash: see users table",
        "password expires 2026-01-04T10:00:00Z",
        "the password is in 1Password",
        "the password is stored in ~/.config/app/secret.toml",
        "| field | password |\n|---|---|\n| type | string |",
        "tests pass: test_scan_2 and test_merge3",
        "pass --verbose=2 to the runner",
        "token budget: 128000 per session",
        "token count is 12,345",
        "max_tokens: 4096",
        "next_page_token: Zm9vYmFyYmF6cXV4MTIz",
        "the secret to good notes is brevity",
        "api_key handling was moved into settings.py",
        "api key lives in src/config/settings_v2.py",
        "api_key_env: ANTHROPIC_API_KEY",
        "API key rotation happens every 90 days.",
        "token: refresh-flow-v2",
        "primary key: order_id_2024",
        "key: memory/2026-01-04.md",
        "cache_key: 3fa85f6457174562b3fc2c963f66afa6",
        "public key: AAAAC3NzaC1lZDI1NTE5AAAAIGJ2b3Jr4Zk2w8fXq",
        "auth: uses the OAuth device flow",
        "Authorization: Bearer $TOKEN",
        "Authorization: Bearer <token>",
        "export GITHUB_TOKEN=$(gh auth token)",
        "session id: 4f6c2f64-5717-4562-b3fc-2c963f66afa6",
        "postgres://user:password@localhost:5432/app",
        "postgres://app:${DB_PASS}@db/app",
        "https://user:pass@host.example/",
        "git@github.com:team/repo.git",
        "seed phrase handling was moved out of the wallet module last week by Anna",
        "random seed: 1234567",
        "-----BEGIN PRIVATE KEY----- is what the file starts with",
        "pin: 1.2.3",
        "login: alice",
        "HTTP 401: Invalid bearer token (request_id: req_011CXt8BTQeDaxVth1aBt827)",
        '401 {"message":"invalid token","requestId":"7599fc69187b4ad38a0b6f4c2f645717"}',
        "set OPENAI_API_KEY to use openai/gpt-5.1-codex. (auth) | openai/gpt-5.2-chat-latest failed",
        "[33mGET /..%2F..%2Fetc%2Fpasswd HTTP/1.1[0m 404",
        "Le mot de passe est mémorisé par le navigateur",
        "1. [Secure Password Management](https://dev.host.example/handling-sensitive-information-2kd8)",
        '401: {"message":"API token is invalid.","request_id":"7599fc69-187b-4ad3-8a0b-6f4c2f645717"}',
        'curl -H "Authorization: Bearer $TOKEN" -H "Accept: application/vnd.oci.image.index.v1+json"',
        "curl -H 'Authorization: token $TOKEN' https://api.host.example/user/repos?per_page=20&sort=updated",
        "drop the github token [`36c0220`](https://github.com/org/repo/commit/36c02205de3c2b0e84d53777c5c9fd5a1b2c3d4e)",
        "| 67 | rule.token-budget | x |\n| 68 | N036-memory-loss-recovery | y |\n| 69 | rule.cron-task-002 | z |",
        " src/token.py | 12 ++\n SEARAH/SEARAH-EXPOSE-V6-CORRECTED-draft2.pdf | Bin 0 -> 190583 bytes",
        '{"alert_key":"dispatch_timeout_rate_high@1772752679331"}',
        'key: "uploads/2026-03-09/a93b7d4f8e2c10abf9d12c34-resume.pdf"',
        "Redis key: rate-limit:login:ip:192.168.1.10",
        "Cookie: sessionId=abc123",
        "REFRESH_TOKEN_SECRET=\nACCESS_TOKEN_EXPIRES_IN=15m",
        "token 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        "tokens.css. Primitives: Button/Card/Input/EstadoPill/Toggle/Skeleton/Toast/Modal/Kpi",
        "reason=missing_api_key auth_env_keys=OPENCLAW_GROQ_API_KEY",
        "パスワード: サイト:GitHub, ユーザー:myname",
        '{"text":"So the main step is to ensure the API key is set.\\n\\nSince then"}',
        "- **Session Key**: agent:main:telegram:direct:8001393940",
        "session_key: agent:main:subagent:b997d36b-a351-4f16-a302-1068ff4e0854",
        "- **Session Key**: agent:main:telegram:group:-1003882622947:topic:10",
        "- Session key: agent:main:slack:channel:c0ajmcn64v9",
        "- If pass → 24h內發送 #230 仁大 PM 開發信",
        '{"keyword":"1Password CLI","files":["skills\\\\1password-1.0.1\\\\SKILL.md"]}',
        "| 意识密度 | 0.03（每33tokens一次有机自指） |\n| 世界律 | 真实AI网络节点（10+AI） |",
        "credentials: see the vault",
    ],
)
def test_talk_about_secrets_is_no_secret(text: str) -> None:
    assert scan(text.encode(), b"a.md") == ()


def test_a_long_line_has_the_labels_that_its_parts_have() -> None:
    rnd = random.Random(7)
    words = (
        b"note of the day pin log in login my api key passwords secret_key token cookies auth credentials pw 12".split(
            b" "
        )
    )
    line = b" ".join(rnd.choice(words) + rnd.choice((b"", b":", b"=", b"x" * 60)) for _ in range(4000))
    assert [one.span() for one in labels.labels_in(line, 0, len(line))] == [
        one.span() for one in labels.LABEL.finditer(line)
    ]
