"""What the agent says in its own words. The organization's answers are never reworded."""

from dataclasses import dataclass

from agent.languages import Language


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's texts. `answer` takes `answer` and `source`; `choices` takes `choices`."""

    greeting: str
    thanks: str
    farewell: str
    who_i_am: str
    answer: str
    choices: str
    fallback: str
    handover_asked: str
    handover_lost: str


MONGOLIAN = Phrases(
    greeting="Сайн байна уу? Би виртуал туслах байна. Асуух зүйлээ бичээрэй.",
    thanks="Тусалсандаа баяртай байна. Өөр асуулт байвал бичээрэй.",
    farewell="Баяртай. Танд амжилт хүсье.",
    who_i_am=(
        "Би хүн биш, виртуал туслах. Байгууллагын оруулсан мэдээллээс хариулдаг. "
        "Ажилтантай холбогдох бол «хүнтэй ярих» гэж бичээрэй."
    ),
    answer="{answer}\n\nЭх сурвалж: {source}",
    choices=(
        "Та доорхын алийг нь асууж байна вэ? Дугаарыг нь бичээрэй.\n{choices}\n"
        "Аль нь ч биш бол асуултаа өөрөөр бичих, эсвэл «хүнтэй ярих» гэж бичээрэй."
    ),
    fallback=(
        "Уучлаарай, энэ талаар надад мэдээлэл алга. Асуултаа өөр үгээр, арай дэлгэрэнгүй бичээд үзээрэй. "
        "Ажилтантай холбогдох бол «хүнтэй ярих» гэж бичээрэй."
    ),
    handover_asked="Ойлголоо. Таны яриаг ажилтанд шилжүүллээ.",
    handover_lost="Уучлаарай, би энэ асуултад хариулж чадсангүй. Таны яриаг ажилтанд шилжүүллээ.",
)

ENGLISH = Phrases(
    greeting="Hello. I am a virtual assistant. What would you like to know?",
    thanks="You are welcome. Write again if you have another question.",
    farewell="Goodbye.",
    who_i_am=(
        "I am a virtual assistant, not a human. I answer from what the organization has written down. "
        'To reach a person, write "human".'
    ),
    answer="This is what I found:\n\n{answer}\n\nSource: {source}",
    choices=(
        "Which of these do you mean? Reply with its number.\n{choices}\n"
        'If it is none of them, put your question another way or write "human".'
    ),
    fallback=(
        "Sorry, I have no information about this. Please put your question in other words, with a little "
        'more detail. To reach a person, write "human".'
    ),
    handover_asked="All right. I have passed this conversation on to our staff.",
    handover_lost="Sorry, I could not answer this. I have passed the conversation on to our staff.",
)

BY_LANGUAGE = {Language.MONGOLIAN: MONGOLIAN, Language.ENGLISH: ENGLISH}
