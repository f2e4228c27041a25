"""Generated job names: readable and unique, ``adjective_noun_suffix`` as Azure ML makes them."""

from __future__ import annotations

import secrets

ADJECTIVES = (
    "able amber ample brave bright brisk calm careful clear clever cool coral crisp curious dapper deep eager early "
    "easy elegant epic fair fancy fast fine fleet fresh frosty gentle gifted gold good grand green happy hardy helpful "
    "honest icy ivory jolly keen kind large lemon light lively loyal lucid lucky magic mellow merry mild modest neat "
    "nice nimble noble olive orange patient plucky plum polite proud quick quiet rapid red ready regal sharp shiny "
    "silent silver simple sleek smart smooth snowy soft solid stoic strong sunny sweet swift teal tender tidy tough "
    "upbeat vivid warm wise witty yellow young zen"
).split()

NOUNS = (
    "angle apple arch arm atom badge band basil beach bean bell berry bird boat bone book bread brick bridge brush "
    "camel candle carpet cart chain cherry cloud coast comet corn cotton crane cup curtain deer diamond dog dolphin "
    "door dove drum duck eagle ear engine feather fern field fig fish flag flower forest fox frame frog garden ghost "
    "giraffe glass glove grape guitar hat hill honey horse island jacket jewel kettle key kite knot lamp leaf lemon "
    "library lime line lion lizard lock loquat mango map melon moon muscle nail neck needle net nut oak ocean onion "
    "orchid owl panda paper parrot pea peach pear pen piano pillow plane planet plate plum pocket pot pump quill "
    "quince rabbit rain rhubarb rice ring river roof root rose sail salt scale school sea seed shampoo ship shoe sky "
    "snail soccer spoon square stamp star station stem stone sun tail thread tiger tongue tooth town train tree truck "
    "turnip vase vinegar wall watch wave whale wheel whistle window wing wolf yacht yak yam"
).split()

SUFFIX_ALPHABET = "0123456789bcdfghjklmnpqrstvwxyz"
"""No vowels: no words come about by chance."""


def generate() -> str:
    """A new name, such as ``quick_panda_7fk2p9xw3c``: 10 characters of 31, so chance never meets twice."""
    suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(10))
    return f"{secrets.choice(ADJECTIVES)}_{secrets.choice(NOUNS)}_{suffix}"
