"""AWS Signature Version 4 by the standard library alone: the tests' own judge of what the library
signs, and the signer of the few requests that the tests make themselves."""
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
UNRESERVED = "-_.~"


class Refused(Exception):
    """An S3 error: its code, what it says, and its HTTP status."""

    def __init__(self, code, message, status=403):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def canonical_path(raw):
    """What a server derives from the path that it was sent: decoded, and encoded by the rules."""
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(raw), safe="/" + UNRESERVED)


def split_query(raw):
    """The decoded parameters of a query as pairs of bytes."""
    pairs = []
    for piece in raw.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            unquote = urllib.parse.unquote_to_bytes
            pairs.append((unquote(name), unquote(value)))
    return pairs


def canonical_query(pairs):
    encoded = sorted((urllib.parse.quote(name, safe=UNRESERVED),
                      urllib.parse.quote(value, safe=UNRESERVED)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def signature(secret, method, path, query, headers, names, payload_hash, scope, date):
    """`headers` maps lower-case names to lists of values; `names` are those that are signed."""
    lines = "".join(f"{name}:{','.join(' '.join(v.split()) for v in headers[name])}\n"
                    for name in names)
    request = "\n".join([method, path, query, lines, ";".join(names), payload_hash])
    text = "\n".join([ALGORITHM, date, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def parse_authorization(text):
    match = re.fullmatch(ALGORITHM + r" Credential=([^, ]+), ?SignedHeaders=([^, ]+), ?"
                         r"Signature=([0-9a-f]{64})", text)
    if match is None:
        raise Refused("AuthorizationHeaderMalformed", "the Authorization header is malformed", 400)
    fields = match[1].split("/")
    if len(fields) < 5 or fields[-1] != "aws4_request":
        raise Refused("AuthorizationHeaderMalformed", "the credential scope is malformed", 400)
    return "/".join(fields[:-4]), "/".join(fields[-4:]), match[2].split(";"), match[3]


def check_date(headers, scope, now):
    date = headers.get("x-amz-date", [""])[0]
    try:
        sent = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
    except ValueError:
        raise Refused("AccessDenied", "x-amz-date is missing or malformed") from None
    if abs((sent - now).total_seconds()) > 15 * 60:
        raise Refused("RequestTimeTooSkewed",
                      "The difference between the request time and the current time is too large.")
    if scope.split("/")[0] != date[:8]:
        raise Refused("SignatureDoesNotMatch", "the scope's day is not that of x-amz-date")
    return date


def check_names(headers, names):
    missing = [name for name in headers
               if (name == "host" or name.startswith("x-amz-") or name == "content-md5")
               and name not in names]
    if missing:
        raise Refused("AccessDenied",
                      f"There were headers present which were not signed: {missing}")
    if names != sorted(set(names)) or any(name not in headers for name in names):
        raise Refused("SignatureDoesNotMatch", "SignedHeaders are not sorted, or not all there")


def verify(method, raw_path, raw_query, headers, secret_of, now, tls=False):
    """Checks all but the body. Returns (access key id, region). `secret_of` maps an id to its
    (secret, session token or None)."""
    if "authorization" not in headers:
        raise Refused("AccessDenied", "no Authorization header: anonymous requests are refused")
    key_id, scope, names, given = parse_authorization(headers["authorization"][0])
    known = secret_of(key_id)
    if known is None:
        raise Refused("InvalidAccessKeyId",
                      "The key id you provided does not exist in our records.")
    date = check_date(headers, scope, now)
    check_names(headers, names)
    payload_hash = headers.get("x-amz-content-sha256", [""])[0]
    if not re.fullmatch(r"[0-9a-f]{64}", payload_hash) and \
            not (payload_hash == "UNSIGNED-PAYLOAD" and tls is not None):
        raise Refused("InvalidRequest", "x-amz-content-sha256 is missing or malformed", 400)
    secret, token = known
    if token != headers.get("x-amz-security-token", [None])[0]:
        raise Refused("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    expected = signature(secret, method, canonical_path(raw_path),
                         canonical_query(split_query(raw_query)), headers, names, payload_hash,
                         scope, date)
    if not hmac.compare_digest(expected, given):
        raise Refused("SignatureDoesNotMatch",
                      "The request signature we calculated does not match the one you provided.")
    return key_id, scope.split("/")[1]


def send(*arguments, **options):
    """What `request` does; returns (status, body)."""
    status, _, body = request(*arguments, **options)
    return status, body


def request(endpoint, method, path, keys, region="us-east-1", query="", body=b"", headers=None,
            service="s3"):
    """One signed request; returns (status, headers, body). `keys`: id, secret, perhaps a session
    token."""
    url = urllib.parse.urlsplit(endpoint)
    date = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    payload_hash = hashlib.sha256(body).hexdigest()
    all_headers = {"host": url.netloc, "x-amz-date": date, "x-amz-content-sha256": payload_hash}
    all_headers.update(headers or {})
    if len(keys) > 2:
        all_headers["x-amz-security-token"] = keys[2]
    names = sorted(all_headers)
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    found = signature(keys[1], method, canonical_path(path), canonical_query(split_query(query)),
                      {name: [value] for name, value in all_headers.items()}, names, payload_hash,
                      scope, date)
    all_headers["authorization"] = (f"{ALGORITHM} Credential={keys[0]}/{scope}, "
                                    f"SignedHeaders={';'.join(names)}, Signature={found}")
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname, url.port, timeout=30)
    try:
        connection.request(method, path + ("?" + query if query else ""), body, all_headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
