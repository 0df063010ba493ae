"""The demo's members: one for each role, alike in each organization."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoMember:
    """`role` is the name of a role; the address says it too, so that one knows whom one signs in as."""

    role: str
    name: str
    position: str

    def email(self, slug: str) -> str:
        return f"{self.role.replace('_', '-')}@{slug}.example.com"


STAFF = (
    DemoMember("owner", "Сараа", "Захирал"),
    DemoMember("admin", "Дорж", "Системийн админ"),
    DemoMember("supervisor", "Туяа", "Харилцагчийн үйлчилгээний ахлах"),
    DemoMember("support_agent", "Болд", "Харилцагчийн үйлчилгээний ажилтан"),
    DemoMember("knowledge_editor", "Номин", "Мэдлэгийн сангийн редактор"),
    DemoMember("privacy_officer", "Нараа", "Хувийн мэдээлэл хамгаалах ажилтан"),
    DemoMember("billing", "Ганаа", "Нягтлан бодогч"),
    DemoMember("auditor", "Энхээ", "Аудитор"),
)
