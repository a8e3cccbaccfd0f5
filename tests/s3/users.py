"""Keys with few rights on the servers that the tests start: for each server the way it has."""
import json
import os
import subprocess
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import sigv4

BUCKET_ACTIONS = {"s3:ListBucket", "s3:ListBucketMultipartUploads"}


def statements(bucket, actions, **principal):
    """A policy's, of actions like "s3:GetObject"."""
    wanted = [(sorted(BUCKET_ACTIONS & set(actions)), f"arn:aws:s3:::{bucket}"),
              (sorted(set(actions) - BUCKET_ACTIONS), f"arn:aws:s3:::{bucket}/*")]
    return [{"Effect": "Allow", "Action": some, "Resource": [resource], **principal}
            for some, resource in wanted if some]


def policy(all_statements):
    return json.dumps({"Version": "2012-10-17", "Statement": all_statements})


def own(client, users):
    keys = {name: f"secret-of-{name}" for name in users}
    command = {"keys": keys, "allow": {name: list(actions) for name, actions in users.items()}}
    request = urllib.request.Request(client.endpoint + "/-/control", json.dumps(command).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["ok"]
    return {name: (name, secret) for name, secret in keys.items()}


def minio(client, users):
    """Temporary keys of its token service, each with a policy of its own."""
    made = {}
    for name, actions in users.items():
        form = {"Action": "AssumeRole", "Version": "2011-06-15", "DurationSeconds": "3600",
                "Policy": policy(statements(client.bucket, actions))}
        status, body = sigv4.send(
            client.endpoint, "POST", "/", client.keys, service="sts",
            body=urllib.parse.urlencode(form).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"})
        assert status == 200, body
        found = xml.etree.ElementTree.fromstring(body).find(".//{*}Credentials")
        made[name] = tuple(found.findtext("{*}" + field) for field in
                           ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    return made


def with_bucket_policy(client, users, create, principal):
    made, wanted = {}, []
    for name, actions in users.items():
        made[name] = (name, f"secret-of-{name}")
        create(*made[name])
        wanted += statements(client.bucket, actions, Principal={"AWS": [principal + name]})
    client.put_policy(policy(wanted))
    return made


def rgw(client, users):
    def create(name, secret):
        subprocess.run(["radosgw-admin", "-c", os.environ["AKIDB_TEST_S3_FOLDER"] + "/ceph.conf",
                        "user", "create", "--uid=" + name, "--display-name=" + name,
                        "--access-key=" + name, "--secret=" + secret],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return with_bucket_policy(client, users, create, "arn:aws:iam:::user/")


def versitygw(client, users):
    def create(name, secret):
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        subprocess.run([cache + "/akidb/bin/versitygw", "admin", "--access", client.keys[0],
                        "--secret", client.keys[1], "--endpoint-url", client.endpoint,
                        "create-user", "--access", name, "--secret", secret, "--role", "user"],
                       check=True, stdout=subprocess.DEVNULL)
    return with_bucket_policy(client, users, create, "")


MAKERS = {"own": own, "minio": minio, "rgw": rgw, "versitygw": versitygw}
