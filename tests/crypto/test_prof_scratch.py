import time, gc, statistics, os
from iva import tenancy
from iva.crypto import keys, ring, bulk
from iva.crypto.sealed import Opened
from tests.crypto.notes import Note
N=4000
def t(f, n=15):
    v=[]
    for _ in range(n):
        a=time.perf_counter(); f(); v.append(time.perf_counter()-a)
    return round(statistics.median(v)/N*1e6,3)
def test_p(organization):
    F=Note._meta.get_field("body"); D=Note.__dict__["body"]
    with tenancy.tenant(organization):
        bat=tenancy.new_id(); keys.create(bat)
        rows=[tenancy.new_id() for _ in range(N)]
        env=bulk.seal_values(F,[bat]*N,rows,["x"*200]*N)
        names=[f.attname for f in Note._meta.concrete_fields]
        ii=[Note.from_db("default",names,[i if n=="id" else organization if n=="organization_id" else bat if n=="end_user_id" else e if n=="body_encrypted" else None for n in names]) for i,e in zip(rows,env)]
        def reset():
            for i,e in zip(ii,env): i.__dict__["body_encrypted"]=e
        def touch():
            for i in ii: i.body
        def cur():
            for i in ii: ring.current()
        R=ring.current()
        def op():
            for e in env: R.opener(e,F)
        def dct():
            for i in ii: i.__dict__.get("body_encrypted")
        def mk():
            for e in env: Opened(e,"x")
        d=R.opener(env[0],F)
        def dec():
            for e,r in zip(env,rows): d.decrypt(e[12:24],e[24:],d.prefix+r.int.to_bytes(16,"big"))
        def place():
            for e in env: F.place
        for nm in ("gc","nogc"):
            if nm=="nogc": gc.disable()
            v=[]
            for _ in range(15):
                reset(); a=time.perf_counter(); touch(); v.append(time.perf_counter()-a)
            print(nm,"touch",round(statistics.median(v)/N*1e6,3))
            print("again",t(touch))
            for f in (cur,op,dct,mk,dec,place,reset): print(nm,f.__name__,t(f))
        gc.enable()
