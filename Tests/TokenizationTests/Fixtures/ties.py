"""Records what sentencepiece makes of texts whose pieces tie: run with the package sentencepiece."""
import itertools, json, random, struct, sys
import sentencepiece
def varint(v):
    v &= (1<<64)-1; out=b''
    while v>127: out+=bytes([v&127|128]); v>>=7
    return out+bytes([v])
def field(n,kind,payload):
    return varint(n<<3|kind)+(varint(len(payload))+payload if kind==2 else payload)
def piece(text,score,kind=1):
    return field(1,2,field(1,2,text.encode())+field(2,5,struct.pack('<f',score))+field(3,0,varint(kind)))
rng=random.Random(3)
pieces=[('<pad>',0,3),('</s>',0,3),('<unk>',0,2),('▁',-0.7,1)]
for n in (1,2,3,4):
    for letters in itertools.product('abc',repeat=n):
        if n==1 or rng.random()<0.6:
            # A multiple of a tenth for each letter, as float32 rounds it: many sums nearly agree.
            pieces.append((''.join(letters),-0.1*sum('abc'.index(c)+1 for c in letters)*(1 if rng.random()<.8 else 1.5),1))
proto=b''.join(piece(*p) for p in pieces)
proto+=field(2,2,field(3,0,varint(1))+field(40,0,varint(2))+field(41,0,varint(-1))+field(42,0,varint(1))+field(43,0,varint(0)))
proto+=field(3,2,field(3,0,varint(1))+field(4,0,varint(1)))
open(sys.argv[1]+'/ties.model','wb').write(proto)
sp=sentencepiece.SentencePieceProcessor(model_proto=proto)
texts=[''.join(rng.choice('abc') for _ in range(rng.randint(1,40))) for _ in range(200)]
texts+=['abx','axxb ca','x','a b  c']
json.dump([{'text':t,'ids':sp.encode(t)} for t in texts],open(sys.argv[1]+'/ties.json','w'),ensure_ascii=False,separators=(',',':'))
print(len(pieces),sp.encode(texts[0]))
