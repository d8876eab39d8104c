"""Makes a written question look like one a visitor typed: case, punctuation, typos, other words."""

from __future__ import annotations

import random


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_SYNONYM_GROUPS = (
    "start|launch|run|boot|bring up|fire up|get going",
    "delete|remove|erase|wipe|get rid of|drop",
    "get|obtain|fetch|grab|acquire",
    "show|display|present",
    "see|check|view|look at|watch",
    "find|locate|look up|discover",
    "change|alter|adjust|modify|edit|tweak|set",
    "need|require",
    "visitors|users|people|guests|customers|clients",
    "visitor|user|person|guest|customer",
    "answer|reply|response",
    "answers|replies|responses",
    "website|site|page|homepage|web page",
    "command|instruction",
    "explain|describe|clarify|tell me about",
    "memory|ram",
    "big|large|huge",
    "fast|quick|speedy|rapid",
    "slow|sluggish",
    "machine|computer|box|server",
    "conversation|chat|dialogue|thread",
    "conversations|chats|dialogues|threads",
    "use|employ|utilise|work with",
    "add|put|place|insert|include",
    "happens|occurs|goes on",
    "wrong|incorrect|mistaken",
    "story|tale",
    "nice|lovely|pleasant",
    "can|could|may|might",
    "how do i|how would i|how can i|how might i|what must i do to|how does one|how should i",
    "what is|what's|whats|what exactly is|what would be",
    "how much|what amount of",
    "how many|what number of",
    "want to|would like to|wish to|have to|need to",
    "tell me|let me know|say|explain",
    "stop|halt|interrupt|end",
    "make|create|produce|set up",
    "create|make|add|set up|register",
    "admin|administrator|superuser",
    "log in|sign in|login",
    "settings|options|configuration|preferences",
    "is there|do you have|does it have|do you offer|have you got",
    "queue|line",
    "wait|stand in line|be patient",
    "waiting|queueing|in line",
    "private|confidential",
    "data|words|messages|information",
    "sent|transmitted|passed on|forwarded",
    "stored|saved|kept|recorded",
    "cost|cost me",
    "expensive|pricey|costly",
    "free|free of charge|gratis",
    "small|little|tiny",
    "instance|slot instance|instance",
    "model|language model|ai model",
    "real|proper|actual|full|genuine|big",
    "download|fetch|get",
    "thanks|thank you|many thanks|thank you very much",
    "hello|hi|good day",
    "bye|goodbye|see you",
    "great|excellent|brilliant|super|terrific",
    "stupid|dumb|silly|daft",
    "funny|amusing|hilarious",
    "sad|unhappy|down|low|blue",
    "tired|sleepy|exhausted",
    "bored|so bored|terribly bored",
    "colour|color",
    "favourite|favorite",
    "human|human being|person|man",
    "bot|chatbot|robot|machine",
    "remember|recall|keep in mind",
    "forget|lose",
    "phone|mobile|smartphone|cell phone",
    "mean|signify|stand for",
    "work|function|operate",
    "test|check|verify",
    "tests|test suite|checks",
    "help|assist|support",
    "talk|speak|chat",
    "talk to|speak to|speak with|chat with",
    "write|type|enter",
    "who made|who built|who created|who wrote|who developed",
    "crash|crashes|fail|die",
    "hardware|computer|machine|server",
    "busy|occupied|loaded",
    "full|busy|taken",
    "learn|get smarter|improve",
    "internet|web|net",
    "languages|tongues|languages",
    "another|a different|some other",
    "install|set up|setup",
    "close|shut|leave",
    "right now|now|currently|at the moment",
    "little|small|short",
    "several|many|multiple|lots of",
    "simple|easy|basic",
    "difference|distinction",
    "purpose|point|use",
    "located|based|living",
    "like|love|enjoy",
    "great|good|nice",
    "song|tune|melody",
    "eat|have for dinner|have for lunch",
    "leave|go|run|be off",
    "licence|license",
)
_SYNONYMS: dict[tuple[str, ...], list[str]] = {}
for _group in _SYNONYM_GROUPS:
    _members = _group.split("|")
    for _member in _members:
        _others = [m for m in _members if m != _member]
        _SYNONYMS.setdefault(tuple(_member.split()), []).extend(_others)

_BEFORE = _listed(
    "please|hey|hi|hello|ok|okay|so|well|um|and|right|now|sorry|excuse me|quick question|"
    "one more thing|question|can you tell me|could you tell me|i was wondering|"
    "i'd like to know|i would like to know|tell me|please tell me|may i ask|just curious|"
    "out of curiosity|i am new here|honestly|hi there|good morning|good evening|"
    "dear assistant|corral|listen|actually|by the way|thanks|another question|next question|"
    "great|cool|alright|hmm|oh|be honest|do you know|any idea|let me ask|stupid question|"
    "simple question|me again|then|ok then|alright then|yes|can you please explain|"
    "i want to know|for my understanding|for the record|hello there"
)
_AFTER = _listed(
    "please|thanks|thank you|exactly|then|again|here|now|today|for me|by the way|"
    "if i may ask|in short|in simple words|really|anyway|actually|pls|my friend|though|"
    "at all|if you know|in this project|mate|or not|or what|somehow|on my machine|in general|"
    "briefly|quickly|i wonder|at the moment|in your opinion|with corral|for a beginner|"
    "over here|with you|my dear|bot|if that is ok|as well"
)
_FILLERS = _listed(
    "really|just|actually|exactly|maybe|please|now|also|even|then|simply|still|ever|quickly|"
    "all|properly|sort-of|basically"
)
_DROPPABLE = frozenset(
    _listed(
        "the|a|an|do|does|is|are|i|to|of|me|my|it|this|you|your|can|please|that|there|for|in|on"
    )
)
_NAMES = {
    "corral": "Corral", "tinyllama": "TinyLlama", "django": "Django", "daphne": "Daphne",
    "openai": "OpenAI", "gguf": "GGUF", "chatgpt": "ChatGPT", "i": "I", "i'm": "I'm", "ram": "RAM",
    "i'd": "I'd", "gpu": "GPU", "cpu": "CPU", "api": "API", "websocket": "WebSocket", "url": "URL",
    "websockets": "WebSockets", "ai": "AI", "german": "German", "french": "French", "llm": "LLM",
    "spanish": "Spanish", "english": "English", "ttft": "TTFT", "html": "HTML", "vps": "VPS",
}  # fmt: skip
_ASKING = frozenset(
    _listed(
        "what|what's|whats|how|how's|who|who's|where|where's|when|why|which|is|are|am|can|could|"
        "do|does|did|will|would|should|may|must|has|have|was|were|in|at|on|under"
    )
)
_KEYS = "qwertyuiop asdfghjkl zxcvbnm"


def _swap_words(words: list[str], rng: random.Random, rate: float) -> list[str]:
    result: list[str] = []
    index = 0
    while index < len(words):
        for length in (3, 2, 1):
            key = tuple(words[index : index + length])
            if len(key) == length and key in _SYNONYMS and rng.random() < rate:
                result.extend(rng.choice(_SYNONYMS[key]).split())
                index += length
                break
        else:
            result.append(words[index])
            index += 1
    return result


def _typo(word: str, rng: random.Random) -> str:
    if len(word) < 4 or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    place = _KEYS.find(word[at].lower())
    near = _KEYS[max(0, place - 1) : place + 2].replace(" ", "") or word[at]
    return word[:at] + rng.choice(near) + word[at + 1 :]


def _style(text: str, rng: random.Random, proper: frozenset[str], is_statement: bool) -> str:
    draw = rng.random()
    if draw < 0.5:
        words = [_NAMES.get(w, w.capitalize() if w in proper else w) for w in text.split()]
        text = " ".join(words)
        text = text[:1].upper() + text[1:]
        ending = rng.choice((".", ".", "", "!")) if is_statement else "?"
        return text + ending
    if draw < 0.53:
        text = text[:1].upper() + text[1:]
    if draw < 0.54:
        text = text.upper()
    if not is_statement and rng.random() < 0.5:
        return text + rng.choice(("?", "?", "?", "?", " ?", "??", "?!"))
    if is_statement and rng.random() < 0.2:
        return text + rng.choice((".", "!", "!!", "..."))
    return text


def augment(
    question: str, rng: random.Random, proper: frozenset[str] = frozenset(), strength: float = 1.0
) -> str:
    """One way a visitor may type a question.

    `proper` are words to capitalise in careful writing; `strength` scales how much is changed.
    """
    words = question.split()
    is_statement = words[0].casefold() not in _ASKING
    if rng.random() < 0.55 * strength:
        words = _swap_words(words, rng, 0.3)
    if len(words) >= 4:
        if rng.random() < 0.25 * strength:
            kept = [w for w in words if w not in _DROPPABLE or rng.random() > 0.35]
            words = kept if len(kept) >= 3 else words
        if rng.random() < 0.08 * strength:
            words.insert(rng.randrange(1, len(words)), rng.choice(_FILLERS))
    if rng.random() < 0.08 * strength and len(words) >= 2:
        at = rng.randrange(len(words))
        words[at] = _typo(words[at], rng)
    text = " ".join(words)
    if len(words) >= 2 or rng.random() < 0.2:
        if rng.random() < 0.22 * strength:
            joint = rng.choice((", ", " ", ", ", ": ", ". "))
            text = rng.choice(_BEFORE) + joint + text
        if rng.random() < 0.14 * strength:
            text = text + rng.choice((" ", ", ")) + rng.choice(_AFTER)
    return _style(text, rng, proper, is_statement)
