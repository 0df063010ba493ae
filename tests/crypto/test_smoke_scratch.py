from iva import tenancy
from iva.crypto import keys, bulk, epochs, blind_index
from tests.crypto.notes import Note
def test_it(organization, bat):
    with tenancy.tenant(organization):
        n=Note.objects.create(end_user_id=bat, body="сайн уу", details={"a":1}, motto="m")
        print(repr(n), n.__dict__)
    with tenancy.tenant(organization):
        n=Note.objects.get(pk=n.pk); print(n.__dict__); assert n.body=="сайн уу" and n.details=={"a":1} and n.motto=="m" and n.title is None
        print(blind_index.token("x","y"))
    r=epochs.roll(lambda:[organization]); print(r)
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=n.pk).body=="сайн уу"
    with tenancy.tenant(organization):
        print(keys.shred(bat))
        try: Note.objects.get(pk=n.pk).body
        except keys.KeyShredded as e: print(repr(e))
    r=epochs.roll(lambda:[organization]); print(r)
    with tenancy.tenant(organization):
        print(vars(keys.shreddings(bat)[0]))
        n=Note.objects.get(pk=n.pk)
        assert n.motto=="m"
