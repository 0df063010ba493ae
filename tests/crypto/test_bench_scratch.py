import os, statistics, time, uuid
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models
from iva import tenancy
from iva.crypto import keys, bulk, ring
from tests.crypto.notes import Note
N=1000
TEXT="Сайн байна уу, миний захиалга хаана явна вэ? Дугаар нь A-77. "*2
import gc
def run(fs, rounds=60):
    res={n:[] for n in fs}
    gc.collect(); gc.freeze()
    for _ in range(rounds):
        for n,f in fs.items():
            a=time.perf_counter(); f(); res[n].append(time.perf_counter()-a)
    return {n: statistics.median(v)/N*1e6 for n,v in res.items()}
def show(title, r, base):
    print("\n##", title)
    for n,v in r.items(): print(f"  {n:34s} {v:7.3f} us  {v/r[base]:.2f}x")
def test_b(organization):
    F=Note._meta.get_field("body")
    with tenancy.tenant(organization):
        one=[tenancy.new_id()]; many=[tenancy.new_id() for _ in range(100)]
        keys.create_many(one+many)
        R=ring.current()
        rows=[tenancy.new_id() for _ in range(N)]
        k=AESGCM(os.urandom(32))
        ks=[AESGCM(os.urandom(32)) for _ in many]
        texts=[TEXT]*N
        def raw_seal():
            e=k.encrypt; u=os.urandom; out=[]
            for t,r in zip(texts,rows):
                n=u(12); out.append(n+e(n,t.encode(),r.bytes))
            return out
        def raw_seal_noaad():
            e=k.encrypt; u=os.urandom; out=[]
            for t in texts:
                n=u(12); out.append(n+e(n,t.encode(),None))
            return out
        raw=raw_seal(); raw0=raw_seal_noaad()
        def raw_open():
            d=k.decrypt; return [d(b[:12],b[12:],r.bytes).decode() for b,r in zip(raw,rows)]
        def raw_open_noaad():
            d=k.decrypt; return [d(b[:12],b[12:],None).decode() for b in raw0]
        subj1=one*N
        subjm=[many[i%100] for i in range(N)]
        by={s:kk for s,kk in zip(many,ks)}
        kl=[by[s] for s in subjm]
        rawm=[]
        for t,r,kk in zip(texts,rows,kl):
            n=os.urandom(12); rawm.append(n+kk.encrypt(n,t.encode(),r.bytes))
        def raw_open_many(): return [kk.decrypt(b[:12],b[12:],r.bytes).decode() for b,r,kk in zip(rawm,rows,kl)]
        env1=bulk.seal_values(F,subj1,rows,texts); envm=bulk.seal_values(F,subjm,rows,texts)
        assert bulk.open_values(F,subjm,rows,envm)==texts
        r=run({"raw no aad":raw_seal_noaad,"raw row aad":raw_seal,"bulk one":lambda:bulk.seal_values(F,subj1,rows,texts),"bulk 400 users":lambda:bulk.seal_values(F,subjm,rows,texts)})
        show("seal",r,"raw row aad")
        r=run({"raw no aad":raw_open_noaad,"raw row aad":raw_open,"raw many reused":raw_open_many,"bulk one":lambda:bulk.open_values(F,subj1,rows,env1),"bulk one (one id)":lambda:bulk.open_values(F,one[0],rows,env1),"bulk 400 users":lambda:bulk.open_values(F,subjm,rows,envm)})
        show("open values",r,"raw row aad")
        # cold rings
        def cold(subs,envs):
            def f():
                R2=ring.Ring(organization); bulk.open_values(F,subs,rows,envs,R2)
            return f
        r=run({"raw row aad":raw_open,"cold ring one":cold(subj1,env1),"cold ring 400 users (1 query)":cold(subjm,envm)},9)
        show("open values cold",r,"raw row aad")
        from iva.crypto.sealed import Sealed
        def instances(subs,envs):
            return [Note.from_db("default",[f.attname for f in Note._meta.concrete_fields],[i if f.attname=="id" else organization if f.attname=="organization_id" else s if f.attname=="end_user_id" else e if f.attname=="body_encrypted" else "" if f.attname=="shelf" else None for f in Note._meta.concrete_fields]) for i,s,e in zip(rows,subs,envs)]
        i1=instances(subj1,env1); im=instances(subjm,envm)
        def reset(ii):
            for i in ii:
                h=i.__dict__["body_encrypted"]
                if type(h) is not bytes: i.__dict__["body_encrypted"]=h.envelope
        def rev(ii):
            def f():
                bulk.reveal(ii,"body")
            return f
        def single(ii):
            def f():
                for i in ii: i.body
            return f
        res={}
        def timed(f,ii,rounds=60):
            v=[]
            for _ in range(rounds):
                reset(ii); a=time.perf_counter(); f(); v.append(time.perf_counter()-a)
            return statistics.median(v)/N*1e6
        base=statistics.median([run({"x":raw_open},5)["x"] for _ in range(3)])
        r={"raw row aad":base,"reveal one":timed(rev(i1),i1),"reveal 400":timed(rev(im),im),"single attr one":timed(single(i1),i1),"single attr 400":timed(single(im),im)}
        base2=run({"x":raw_open},9)["x"]; r["raw row aad again"]=base2
        show("instances",r,"raw row aad")
        def seal_single():
            for s,t,row in zip(subj1,texts,rows): R.seal(t.encode(),F,s,row.int)
        r=run({"raw row aad":raw_seal,"ring.seal single":seal_single}); show("seal single",r,"raw row aad")
def test_list(organization, thief):
    class Plain(tenancy.TenantModel):
        end_user_id=models.UUIDField(); shelf=models.CharField(max_length=20); body_encrypted=models.BinaryField(null=True); title_encrypted=models.BinaryField(null=True); details_encrypted=models.BinaryField(null=True); motto_encrypted=models.BinaryField(null=True)
        class Meta(tenancy.TenantModel.Meta):
            app_label="crypto_tests"; db_table=Note._meta.db_table; managed=False
    class PlainText(tenancy.TenantModel):
        end_user_id=models.UUIDField(); shelf=models.CharField(max_length=20); body=models.TextField(null=True); title=models.TextField(null=True); details=models.TextField(null=True); motto=models.TextField(null=True)
        class Meta(tenancy.TenantModel.Meta):
            app_label="crypto_tests"; db_table="crypto_tests_plaintext"; managed=False
    thief.execute("create table if not exists crypto_tests_plaintext (id uuid, organization_id uuid, end_user_id uuid, shelf text, body text, title text, details text, motto text); grant all on crypto_tests_plaintext to iva_app")
    global N
    with tenancy.tenant(organization):
        bat=tenancy.new_id(); keys.create(bat)
        Note.objects.bulk_create([Note(end_user_id=bat,body=TEXT,title="t") for _ in range(N)])
        PlainText.objects.bulk_create([PlainText(end_user_id=bat,body=TEXT,title="t",shelf="") for _ in range(N)])
        r=run({"warm":lambda:list(Note.objects.all()),"plain text model":lambda:list(PlainText.objects.all()),"bytes model":lambda:list(Plain.objects.all()),"encrypted untouched":lambda:list(Note.objects.all()),"encrypted, deferred":lambda:list(Note.objects.defer("body","title","details","motto"))},9)
        show("list",r,"plain text model")
    thief.execute("drop table crypto_tests_plaintext")
