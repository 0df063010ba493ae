"""A call for a person is heard in every spelling, and a question about people is not taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wanting_people import asks_for_person

CALLS = """
хүнтэй ярих; хүнтэй яримаар байна; Хүнтэй ярьмаар байна!!! 😡; Би жинхэнэ хүнтэй ярихыг хүсэж байна
хүнтэй ярьж болохгүй юу; huntei yariy; huntei shuud yarimaar bn; hvntei yarimaar bna
huntei holboj ug; чат бот биш хүнтэй ярья; оператор; Оператортой холбогдъё; операторт холбож өгөөч
намайг оператор руу шилжүүл; Надад оператор хэрэгтэй; оператор бнуу; операторууд байна уу
оператор дуудаач; operator; operatortoi holboj uguuch; operator duudaj uguuch; ажилтантай ярья
Ажилтантайгаа холбож өгөөч; ажилтан руу шилжүүлээч; Ажилтан дуудаж өгнө үү
ajiltan ruu shiljuuleech; хүн рүү холбоод өгөөч; хүн байна уу; амьд хүн байна уу
жинхэнэ хүн хэрэгтэй; ярих хүн байна уу; amid hun bn uu; menejertei uulzmaar bna
зээлийн мэргэжилтэнтэй уулзах; зөвлөхтэй ярих боломж байна уу; human; operator please
I want to talk to a human; can I speak with an agent; transfer me to a representative
I need to speak with a real person; connect me to an operator; is there a human I can talk to
real person
"""

QUESTIONS = """
ажилтны цалин хэд вэ; Ажилтны ажлын цаг хэд вэ; танай ажилтан муухай харьцлаа; хэдэн ажилтантай вэ
ажилтан авах уу; Ажилтнуудын цалин тараах; Гэрээт ажилтан зээл авах уу
Банкны ажилтан гэж хүн залгаад нууц код асуугаад байна; өөр оператор руу шилжих
өөр оператор луу дугаараа шилжүүлэх; оператор солих; Дугаараа хадгалж оператор солих
операторын тарифын харьцуулалт; Хоёр оператороор зэрэг ашиглаж болох уу; operatoriin kod solih
mobile operator; хүнтэй хамтарч зээл авч болох уу; Хоёр хүнтэй хамтын данс нээх
Би хоёр хүнтэй гэр бүл; хүн амын орлогын албан татвар; өөр хүний данс руу шилжүүлэх
хүнд мөнгө шилжүүлэх; Өөр хүн рүү нэгж яаж шилжүүлэх вэ?; hunii dans ruu shiljuuleh
Миний картыг хүн хулгайлсан байна; гадаад хүн данс нээж болох уу; танайд хэдэн хүн ажилладаг вэ
Хэн рүү залгасан жагсаалт; хүнтэй ярихгүй; оператор хэрэггүй; I do not want to talk to a human
how many employees do you have; Can one person have two accounts; My agent number changed
do I need a manager signature for a company account
"""


def listed(texts: str) -> list[str]:
    return [text.strip() for line in texts.strip().splitlines() for text in line.split(";")]


@pytest.mark.parametrize("text", listed(CALLS))
def test_a_call_for_a_person_is_heard(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize("text", listed(QUESTIONS))
def test_a_question_about_people_is_no_call_for_one(text: str) -> None:
    assert not asks_for_person(text)


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert asks_for_person(text) in (True, False)
