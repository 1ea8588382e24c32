"""requests without a session: each call has one of its own, which it closes."""
import requests

from http_common import MANY, PART, common, main, url


def get(page):
    return requests.get(f"{url}/{page}", stream=True)


def fetch():
    for _ in range(MANY):
        print(requests.get(f"{url}/small").text)


main({**common(get, lambda response: response.raw.read(PART), lambda response: response.content,
               requests.Response.close),
      "fetch": fetch})
