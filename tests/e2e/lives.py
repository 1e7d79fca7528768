"""Starts the bot as often as it is told to, each time in a process of its own that can be killed.

Importing and loading take seconds, so that is done once and each life is a fork: a line on stdin starts one, and its
process id is printed.
"""

import asyncio
import os
import sys

from bot.live import open_live
from bot.polling import poll
from bot.settings import load_settings, load_telegram


def main() -> None:
    settings, telegram = load_settings(), load_telegram()
    live = open_live(settings)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(poll(settings, telegram, live))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
