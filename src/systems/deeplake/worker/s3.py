"""The few S3 requests that the bot's own files need, signed with version 4, by the standard library."""

import hashlib
import hmac
import http.client
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timezone

from protocol import WorkerError

_TRIES = 4
_SECONDS = 60


class Bucket:
    """One bucket. `request` answers (status, headers, body); what cannot be reached is tried again a few times."""

    def __init__(self, place):
        if not place.s3:
            raise WorkerError("wrong-use", "a root in a bucket needs s3 settings")
        self._place = place
        self._endpoint = urllib.parse.urlsplit(place.s3["endpointUrl"])

    def request(self, method, key, query=None, body=b"", headers=None, allow=()):
        path = "/" + urllib.parse.quote(f"{self._place.bucket}/{key}" if key else self._place.bucket, safe="/-_.~")
        for attempt in range(_TRIES):
            try:
                status, answer_headers, answer = self._send(method, path, query or {}, body, headers or {})
            except (OSError, http.client.HTTPException) as error:
                if attempt == _TRIES - 1:
                    raise WorkerError("unreachable", "the bucket's server does not answer") from error
                time.sleep(0.2 * 2**attempt)
                continue
            if status in (500, 503) and attempt < _TRIES - 1:
                time.sleep(0.2 * 2**attempt)
                continue
            if status < 300 or status in allow:
                return status, answer_headers, answer
            raise _failure(status, answer)
        raise WorkerError("unreachable", "the bucket's server is busy")

    def list(self, prefix, delimiter=""):
        """Yields (key, size, etag) in the order of keys; with a delimiter the folders' prefixes, with size None."""
        token = ""
        while True:
            query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
            if delimiter:
                query["delimiter"] = delimiter
            if token:
                query["continuation-token"] = token
            _, _, body = self.request("GET", "", query)
            page = ElementTree.fromstring(body)
            space = page.tag[: page.tag.index("}") + 1] if "}" in page.tag else ""
            for item in page.iter(f"{space}Contents"):
                key = urllib.parse.unquote_plus(item.findtext(f"{space}Key"))
                yield key, int(item.findtext(f"{space}Size")), item.findtext(f"{space}ETag")
            for item in page.iter(f"{space}CommonPrefixes"):
                yield urllib.parse.unquote_plus(item.findtext(f"{space}Prefix")), None, None
            token = page.findtext(f"{space}NextContinuationToken") or ""
            if not token:
                return

    def _send(self, method, path, query, body, headers):
        text = "&".join(
            f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}" for k, v in sorted(query.items())
        )
        signed = self._sign(method, path, text, body, headers)
        secure = self._endpoint.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(self._endpoint.hostname, self._endpoint.port, timeout=_SECONDS)
        try:
            connection.request(method, f"{path}?{text}" if text else path, body=body, headers=signed)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def _sign(self, method, path, query, body, headers):
        s3 = self._place.s3
        now = datetime.now(timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        own = {"host": self._endpoint.netloc, "x-amz-date": stamp, "x-amz-content-sha256": digest}
        names = ";".join(sorted(own))
        canonical = "".join(f"{name}:{own[name]}\n" for name in sorted(own))
        request = "\n".join((method, path, query, canonical, names, digest))
        scope = f"{day}/{s3['region']}/s3/aws4_request"
        to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{s3['secretKey']}".encode()
        for part in (day, s3["region"], "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={s3['accessKey']}/{scope}"
        authorization = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
        return {**headers, **own, "authorization": authorization, "content-length": str(len(body))}


def _failure(status, body):
    code = ""
    try:
        for element in ElementTree.fromstring(body).iter():
            if element.tag.endswith("Code"):
                code = (element.text or "")[:60]
    except ElementTree.ParseError:
        pass
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
        return WorkerError("wrong-password", "the bucket's server refuses the keys")
    if status == 403:
        return WorkerError("missing-rights", "the bucket's server does not allow these keys to do it")
    if code == "NoSuchBucket":
        return WorkerError("missing", "there is no such bucket")
    if code == "XMinioStorageFull" or status == 507:
        return WorkerError("disk-full", "the bucket's server has no room left")
    return WorkerError("failed", f"the bucket's server answered {status} {code}".strip())
