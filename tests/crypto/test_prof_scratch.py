import time, gc, statistics, os, uuid, types
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from iva import tenancy
from iva.tenancy import context
from iva.crypto import keys, ring, bulk, fields
from iva.crypto.sealed import Opened, blank
from iva.crypto.aead import InvalidTag
from tests.crypto.notes import Note
N=500
def test_p(organization):
    F=Note._meta.get_field("body"); D=Note.__dict__["body"]
    T=("Сайн байна уу, миний захиалга хаана явна вэ? Дугаар нь A-77. "*2)
    with tenancy.tenant(organization):
        bat=tenancy.new_id(); keys.create(bat)
        rows=[tenancy.new_id() for _ in range(N)]
        env=bulk.seal_values(F,[bat]*N,rows,[T]*N)
        names=[f.attname for f in Note._meta.concrete_fields]
        ii=[Note.from_db("default",names,[i if n=="id" else organization if n=="organization_id" else bat if n=="end_user_id" else e if n=="body_encrypted" else None for n in names]) for i,e in zip(rows,env)]
        k=AESGCM(os.urandom(32))
        raw=[]
        for r in rows:
            n=os.urandom(12); raw.append(n+k.encrypt(n,T.encode(),r.bytes))
        def rawf():
            d=k.decrypt
            for b,r in zip(raw,rows): d(b[:12],b[12:],r.bytes).decode()
        def rawnoaadprep():
            d=k.decrypt
            for b in raw0: d(b[:12],b[12:],None).decode()
        raw0=[]
        for r in rows:
            n=os.urandom(12); raw0.append(n+k.encrypt(n,T.encode(),None))
        def touch():
            for i in ii: i.body
        cur=context._current.get
        class V1(fields._Plaintext):
            def __get__(self, instance, owner=None):
                if instance is None: return self
                state = instance.__dict__
                held = state.get(self.attname, 1)
                if type(held) is not bytes:
                    return held
                try:
                    subject, row = state[self.subject].int, state["id"].int
                except KeyError:
                    subject, row = getattr(instance, self.subject).int, instance.pk.int
                try:
                    decrypt, prefix, bound_to = cur().memo[self][held[:12]]
                except (AttributeError, KeyError):
                    decrypt, prefix, bound_to = self._opener(held)
                if bound_to != subject: raise 1
                try:
                    content = decrypt(held[12:24], held[24:], prefix + row.to_bytes(16, "big"))
                except (InvalidTag, ValueError): raise
                state[self.attname] = opened = blank(Opened)
                opened.envelope = held
                opened.value = value = self.decode(content)
                return value
        Cell=types.CellType
        class V2(V1):
            def __get__(self, instance, owner=None):
                if instance is None: return self
                state = instance.__dict__
                held = state.get(self.attname, 1)
                if type(held) is not bytes:
                    return held
                try:
                    subject, row = state[self.subject].int, state["id"].int
                except KeyError:
                    subject, row = getattr(instance, self.subject).int, instance.pk.int
                try:
                    decrypt, prefix, bound_to = cur().memo[self][held[:12]]
                except (AttributeError, KeyError):
                    decrypt, prefix, bound_to = self._opener(held)
                if bound_to != subject: raise 1
                try:
                    value = self.decode(decrypt(held[12:24], held[24:], prefix + row.to_bytes(16, "big")))
                except (InvalidTag, ValueError): raise
                state[self.attname] = Cell(value)
                return value
        class V3(V1):
            def __get__(self, instance, owner=None):
                state = instance.__dict__
                held = state["body_encrypted"]
                if self not in cur().memo: self._opener(held)
                decrypt, prefix, bound_to = cur().memo[self][held[:12]]
                return self.decode(decrypt(held[12:24], held[24:], prefix + state["id"].int.to_bytes(16, "big")))
        gc.collect(); gc.freeze()
        res={}
        for rnd in range(80):
            for nm,d in (("base",D),("V1 builtin current",V1(F)),("V2 cell",V2(F)),("V3 floor",V3(F)),("raw",None),("raw noaad",1)):
                if d is not None and d!=1:
                    Note.body=d
                    for i,e in zip(ii,env): i.__dict__["body_encrypted"]=e
                    ii[0].body
                f=rawf if d is None else rawnoaadprep if d==1 else touch
                a=time.perf_counter(); f(); res.setdefault(nm,[]).append(time.perf_counter()-a)
        Note.body=D
        for nm,v in res.items(): print(nm, round(statistics.median(v)/N*1e6,3), round(min(v)/N*1e6,3))
