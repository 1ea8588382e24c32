"""urllib.request: says Connection: close with each request; a response owns its socket."""
import ssl
import urllib.error
import urllib.request

from http_common import LEAKS, PART, ca, common, main, url

context = ssl.create_default_context(cafile=ca[0]) if ca else None


def get(page):
    try:
        return urllib.request.urlopen(f"{url}/{page}", context=context)
    except urllib.error.HTTPError as error:
        return error  # a response, too, and nobody closes it


def dropped():
    for _ in range(LEAKS):
        get("large")


main({**common(get, lambda response: response.read(PART), lambda response: response.read(),
               lambda response: response.close()),
      "dropped": dropped})
