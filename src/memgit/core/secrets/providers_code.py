"""Key formats of code hosting, package registries, build services and developer tools."""

from __future__ import annotations

from memgit.core.secrets.shapes import Shape, shape

SHAPES: tuple[Shape, ...] = (
    shape("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", rb"gh[pousr]_[A-Za-z0-9]{36,255}"),
    shape("github-fine-grained-token", "github_pat_", rb"github_pat_[A-Za-z0-9_]{60,255}"),
    shape(
        "gitlab-token",
        "glpat- gloas- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glsoat- glffct- glwt-",
        rb"gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[A-Za-z0-9_.-]{20,300}",
    ),
    shape("gitlab-runner-token", "GR1348941", rb"GR1348941[A-Za-z0-9_-]{20,24}"),
    shape("bitbucket-app-password", "ATBB", rb"ATBB[A-Za-z0-9_=.-]{28,40}(?![A-Za-z0-9])"),
    shape("bitbucket-token", "ATCTT3xFf", rb"ATCTT3xFf[A-Za-z0-9+/=._-]{60,250}"),
    shape("gitea-token", "gta_", rb"gta_[A-Za-z0-9]{32,48}(?![A-Za-z0-9_])"),
    shape("npm-token", "npm_", rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    shape("pypi-token", "pypi-Ag", rb"pypi-Ag[A-Za-z0-9_-]{50,}"),
    shape("rubygems-key", "rubygems_", rb"rubygems_[0-9a-f]{48}"),
    shape("crates-io-token", "cio", rb"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    shape("nuget-key", "oy2", rb"oy2[a-z0-9]{43}(?![A-Za-z0-9])"),
    shape("clojars-token", "CLOJARS_", rb"CLOJARS_[0-9a-z]{60}"),
    shape("dockerhub-token", "dckr_pat_ dckr_oat_", rb"dckr_[po]at_[A-Za-z0-9_-]{24,40}"),
    shape("artifactory-key", "AKCp", rb"AKCp[A-Za-z0-9]{68,72}"),
    shape("artifactory-token", "cmVmdGtu", rb"cmVmdGtu[A-Za-z0-9]{54,60}"),
    shape("sonar-token", "squ_ sqp_ sqa_", rb"sq[upa]_[0-9a-f]{40}"),
    shape("circleci-token", "CCIPAT_ CCIPRJ_", rb"CCI(?:PAT|PRJ)_[A-Za-z0-9]{20,24}_[0-9a-f]{40}"),
    shape("buildkite-token", "bkua_ bkaj_ bkat_", rb"bk(?:ua|aj|at)_[0-9a-f]{40}"),
    shape("sourcegraph-token", "sgp_", rb"sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}"),
    shape("postman-key", "PMAK-", rb"PMAK-[0-9a-f]{24}-[0-9a-f]{30,36}"),
    shape("figma-token", "figd_ figu_ figo_ figoh_ figor_", rb"fig(?:d|u|o|oh|or)_[A-Za-z0-9_-]{38,80}"),
    shape("linear-key", "lin_api_ lin_oauth_ lin_wh_", rb"lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,64}"),
    shape("notion-token", "ntn_", rb"ntn_[A-Za-z0-9]{40,50}"),
    shape("notion-token", "secret_", rb"secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    shape("airtable-token", "pat", rb"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    shape("atlassian-token", "ATATT3xFf", rb"ATATT3xFf[A-Za-z0-9_=.-]{100,260}"),
    shape("trello-token", "ATTA", rb"ATTA[0-9a-f]{64}"),
    shape("asana-token", "/", rb"[0-2]/\d{15,17}(?:/\d{15,17})?:[0-9a-f]{32}"),
    shape("clickup-token", "pk_", rb"pk_\d{5,10}_[A-Z0-9]{32}"),
    shape("readme-key", "rdme_", rb"rdme_[a-z0-9]{70}"),
    shape("rapidapi-key", "msh", rb"[0-9a-z]{10}msh[0-9a-z]{15}p1[0-9a-z]{6}jsn[0-9a-z]{12}"),
    shape("contentful-token", "CFPAT-", rb"CFPAT-[A-Za-z0-9_-]{43}"),
    shape("mapbox-secret", "sk.eyJ", rb"sk\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{20,}"),
    shape("typeform-token", "tfp_", rb"tfp_[A-Za-z0-9_=.-]{40,64}"),
    shape("ntfy-token", "tk_", rb"tk_[a-z0-9]{29}(?![A-Za-z0-9_])"),
    shape("adafruit-key", "aio_", rb"aio_[A-Za-z0-9]{28}(?![A-Za-z0-9])"),
)
