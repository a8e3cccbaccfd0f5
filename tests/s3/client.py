"""What the tests ask of an S3 server themselves, beside the library under test: the objects of a
bucket, its unfinished uploads, its policy. Keys are text."""
import os
import urllib.parse
import xml.etree.ElementTree

import sigv4


class Failed(Exception):
    pass


class Client:
    def __init__(self, endpoint, bucket, keys, region="us-east-1"):
        """`keys`: access key id, secret, and perhaps a session token."""
        self.endpoint, self.bucket, self.keys, self.region = endpoint, bucket, keys, region

    @classmethod
    def of_environment(cls, env=os.environ):
        keys = [env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]]
        if env.get("AWS_SESSION_TOKEN"):
            keys.append(env["AWS_SESSION_TOKEN"])
        return cls(env["AKIDB_TEST_S3_ENDPOINT"], env["AKIDB_TEST_S3_BUCKET"], keys,
                   env.get("AWS_REGION", "us-east-1"))

    def send(self, *arguments, **options):
        return self.request(*arguments, **options)[1]

    def request(self, method, key="", query="", body=b"", headers=None, wanted=(200, 204)):
        """(headers, body) of the answer."""
        path = f"/{self.bucket}"
        if key:
            path += "/" + urllib.parse.quote(key, safe="/" + sigv4.UNRESERVED)
        status, found, answer = sigv4.request(self.endpoint, method, path, self.keys, self.region,
                                              query, body, headers)
        if status not in wanted:
            text = answer.decode("utf-8", "replace")
            raise Failed(f"{method} {path}?{query}: {status} {text}")
        return found, answer

    def make_bucket(self):
        self.send("PUT", wanted=(200, 409))  # it may be there

    def head(self, key):
        """The headers of an object; their names are found in any case."""
        return self.request("HEAD", key)[0]

    def get(self, key):
        return self.send("GET", key)

    def put(self, key, data):
        self.send("PUT", key, body=data)

    def delete(self, key):
        self.send("DELETE", key)

    def put_policy(self, text):
        self.send("PUT", query="policy=", body=text.encode())

    def list(self, prefix=""):
        """(key, size, ETag) of each object, in the order of keys."""
        found, token = [], ""
        while True:
            query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            root = self.xml(query)
            for item in root.findall("{*}Contents"):
                key = urllib.parse.unquote_plus(item.findtext("{*}Key"))
                found.append((key, int(item.findtext("{*}Size")), item.findtext("{*}ETag")))
            if root.findtext("{*}IsTruncated") != "true":
                return sorted(found)
            token = root.findtext("{*}NextContinuationToken")

    def uploads(self, prefix=""):
        """The keys of unfinished uploads. All are asked for: MinIO takes a prefix as a key."""
        root = self.xml({"uploads": ""})
        keys = [item.findtext("{*}Key") for item in root.findall("{*}Upload")]
        return [key for key in keys if key.startswith(prefix)]

    def xml(self, query):
        text = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        return xml.etree.ElementTree.fromstring(self.send("GET", query=text))
