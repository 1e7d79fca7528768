"""The asker's place, the offices there, the law of its state, and words with three meanings."""

import pytest

from bot.app import App
from tests.e2e.talk import tapped
from tests.telegram_server import TelegramServer
from tests.telegram_server.people import labels

pytestmark = pytest.mark.slow
DONATION = "Unsere Stadt will eine Spende von einer Baufirma annehmen. Wer im Rathaus entscheidet darüber?"


async def test_offices_are_named_for_a_postcode(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    answer = await anna.ask("/anlaufstellen 06108")
    assert answer["text"].startswith("Anlaufstellen für 06108 Halle (Saale), Sachsen-Anhalt")
    assert "LAGFA Sachsen-Anhalt" in answer["text"]
    assert "Bundesweit" in answer["text"]
    assert "lagfa bayern" not in answer["text"]


async def test_of_namesakes_one_is_chosen(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    question = await anna.ask("/anlaufstellen Halle")
    assert ["Halle (Westf.), Nordrhein-Westfalen"] in labels(question)
    assert "Nordrhein-Westfalen" in await tapped(server, app, anna, "Halle (Westf.), Nordrhein-Westfalen")


async def test_a_location_is_answered_and_not_kept(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.send_location(51.05, 13.74)
    (answer,) = await anna.replies()
    assert "Dresden" in answer["text"]
    assert "Ehrenamtsagentur Sachsen" in answer["text"]
    assert "For which" not in (await anna.ask("/ort"))["text"]
    assert anna.last["text"].startswith("Für welchen Ort?")


async def test_the_law_of_the_state_is_offered_given_and_forgotten(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    answer = await anna.ask(DONATION)
    assert answer["text"].startswith("Spenden und Sponsoring an Stadt, Schule und Amt")
    assert "Hängt vom Land ab" in answer["text"]
    assert (await tapped(server, app, anna, "📍 Für mein Land")).startswith("Für welchen Ort?")
    rule = await anna.ask("Freiburg im Breisgau")
    assert "§ 78 Abs. 4 GemO" in rule["text"]
    assert "Gemeindeordnung Baden-Württemberg" in rule["text"]
    assert "Wer mehr dazu weiß" in rule["text"]
    assert "§ 78 Abs. 4 GemO" in (await anna.ask(DONATION))["text"]
    assert "Freiburg" in (await anna.ask("/ort"))["text"]
    assert (await tapped(server, app, anna, "Ort löschen")).startswith("Gelöscht")
    assert "Hängt vom Land ab" in (await anna.ask(DONATION))["text"]


async def test_a_state_without_a_known_rule_says_so_and_names_its_office(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.ask("/ort Saarland")
    answer = await anna.ask(DONATION)
    assert "Die Regel dieses Landes liegt mir nicht vor." in answer["text"]
    assert "Auskunft im Land: Staatskanzlei des Saarlandes" in answer["text"]


async def test_a_question_instead_of_a_place_is_answered(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    await anna.ask("/ort")
    assert (await anna.ask("Dortmnud"))["text"].endswith("Meinten Sie Dortmund?")
    assert (await anna.ask(DONATION))["text"].startswith("Spenden und Sponsoring an Stadt")
    assert "Einen Ort" not in (await anna.ask("Sponsoring Gegenleistung Logo Trikots"))["text"]


async def test_a_word_of_the_glossary(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    entry = await anna.ask("/glossar zuwendung")
    for sector in ("Verwaltung", "Wirtschaft", "Zivilgesellschaft"):
        assert f"\n\n{sector}\n" in entry["text"]
    unknown = await anna.ask("/glossar Zuwendng")
    assert labels(unknown) == [["Zuwendung"]]
    assert "Ein Wort, drei Bedeutungen" in await tapped(server, app, anna, "Zuwendung")
    assert "Zuwendung" in (await anna.ask("/glossar"))["text"]
    assert "steht nicht in meinem Glossar" in (await anna.ask("/glossar <b>x</b>"))["text"]


async def test_an_answer_points_to_a_word_that_it_uses(server: TelegramServer, app: App) -> None:
    anna = server.user("Anna", language_code="de")
    answer = await anna.ask("Eine Firma will ihr Logo auf unseren Trikots: Ist das Geld dafür eine Spende?")
    assert "bedeutet in jedem Sektor etwas anderes: /glossar" in answer["text"]
    label = next(label for row in labels(answer) for label in row if label.startswith("📖"))
    assert "Ein Wort, drei Bedeutungen" in await tapped(server, app, anna, label)
