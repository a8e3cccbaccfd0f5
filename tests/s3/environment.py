"""How the tests of a server find it: by the environment, as users' programs do.

    AKIDB_TEST_S3_ENDPOINT   http://host:port
    AKIDB_TEST_S3_BUCKET     a bucket that the keys may write to; only new keys are written
    AKIDB_TEST_S3_SERVER     its name in limits.py; "given" for any other
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION
"""
import os

BUCKET = "akidb-tests"
KEYS = {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret",
        "AWS_REGION": "us-east-1"}
# What would lead a test elsewhere.
ELSEWHERE = ["AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE",
             "AWS_DEFAULT_REGION", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
             "ALL_PROXY", "AKIDB_STORE"]


def alone():
    """The environment without anything that speaks of S3 or of proxies."""
    env = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    env.update(AWS_CONFIG_FILE="/dev/null/none", AWS_SHARED_CREDENTIALS_FILE="/dev/null/none",
               AWS_EC2_METADATA_DISABLED="true", PYTHONDONTWRITEBYTECODE="1")
    return env


def of(server, endpoint):
    """For a server that this folder has started."""
    env = alone()
    env.pop("AWS_SESSION_TOKEN", None)
    env.update(KEYS)
    env.update(AKIDB_TEST_S3_SERVER=server, AKIDB_TEST_S3_ENDPOINT=endpoint,
               AKIDB_TEST_S3_BUCKET=BUCKET)
    return env


def given():
    """For the server that the environment names already."""
    env = alone()
    for name in ("AKIDB_TEST_S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if not env.get(name):
            raise SystemExit(f"AKIDB_TEST_S3_ENDPOINT is set, and {name} is not")
    env.setdefault("AKIDB_TEST_S3_SERVER", "given")
    return env
