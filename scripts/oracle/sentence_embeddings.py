"""Writes golden cases of sentence-transformers: a tiny model as it saves it, embeddings, losses with gradients, thirty steps of
training under PEFT's LoRA and AdaLoRA, and the scores of its evaluators.

    python scripts/oracle/sentence_embeddings.py [OUT] && npx biome format --write src/tasks/sentence-embedding/fixtures

PEFT's AdaLoRA adds its orthogonality term only if a model returns a loss. An embedding model does not, so `regularizer`
adds the term here, with PEFT's formula and weight.
"""
import copy, json, pathlib, random, shutil, sys
import torch
from peft import AdaLoraConfig, LoraConfig
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer, losses
from sentence_transformers.sentence_transformer import modules
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator, InformationRetrievalEvaluator, TripletEvaluator
from transformers import BertConfig, BertModel, BertTokenizerFast

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "src/tasks/sentence-embedding/fixtures")
WORDS = "a the cat dog bird sat ran flew on over under mat house tree red blue old new query passage : , . ?".split()
draw = random.Random(0)


def sentence():
    return " ".join(draw.choice(WORDS[:-6]) for _ in range(draw.randint(3, 11)))


def write(name, content):
    (OUT / name).write_text(json.dumps(content))


def tiny_model():
    torch.manual_seed(0)
    folder = OUT / "bert"
    vocab = OUT / "vocab.txt"
    vocab.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]) + "\n")
    tokenizer = BertTokenizerFast(str(vocab), model_max_length=32)
    config = BertConfig(vocab_size=len(WORDS) + 5, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
                        max_position_embeddings=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    bert = BertModel(config)
    for parameter in bert.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.2)
    bert.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    vocab.unlink()
    transformer = modules.Transformer(str(folder), max_seq_length=24)
    pooling = modules.Pooling(16, "mean")
    model = SentenceTransformer(modules=[transformer, pooling, modules.Normalize()], device="cpu",
                                prompts={"query": "query : ", "passage": "passage : "})
    shutil.rmtree(folder)
    model.save_pretrained(str(OUT / "model"), create_model_card=False)
    return SentenceTransformer(str(OUT / "model"), device="cpu")


def embeddings(model):
    texts = [sentence() for _ in range(6)] + ["cat", " ".join(["old"] * 40)]
    cases = []
    for mode in ["mean", "cls", "lasttoken"]:
        for normalize in [False, True]:
            parts = [model[0], modules.Pooling(16, mode), *([modules.Normalize()] if normalize else [])]
            other = SentenceTransformer(modules=parts, device="cpu")
            cases.append({"mode": mode, "normalize": normalize, "prompt": "", "embeddings": other.encode(texts).tolist()})
    cases.append({"mode": "mean", "normalize": True, "prompt": "query : ", "embeddings": model.encode(texts, prompt_name="query").tolist()})
    write("embeddings.json", {"texts": texts, "cases": cases})


def loss_cases():
    model = SentenceTransformer(str(OUT / "model"), device="cpu")
    torch.manual_seed(1)
    n, width = 5, 8
    columns = [torch.randn(n, width) for _ in range(4)]
    columns.append(columns[0][[0, 1, 2, 0, 1]])   # repeated texts
    scores = torch.tensor([0.9, 0.1, 0.5, 0.5, 1.0])
    classes = torch.tensor([0, 1, 0, 2, 1])
    distance = losses.TripletDistanceMetric
    ranking = losses.MultipleNegativesRankingLoss
    SAME = [0, 0, 1]   # The positive is the anchor, so their distance is 0.
    made = [
        ("multiple_negatives_ranking", {}, 2, None, ranking(model)),
        ("multiple_negatives_ranking", {"scale": 5}, 4, None, ranking(model, scale=5)),
        ("multiple_negatives_ranking", {"symmetric": True}, 3, None, losses.MultipleNegativesSymmetricRankingLoss(model)),
        ("cosent", {}, 2, scores, losses.CoSENTLoss(model)),
        ("cosent", {"scale": 3}, 2, scores, losses.CoSENTLoss(model, scale=3)),
        ("cosine", {}, 2, scores, losses.CosineSimilarityLoss(model)),
        ("triplet", {}, 3, None, losses.TripletLoss(model)),
        ("triplet", {"margin": 0.2, "distance": "cosine"}, 3, None, losses.TripletLoss(model, distance.COSINE, 0.2)),
        ("triplet", {"margin": 1, "distance": "manhattan"}, 3, None, losses.TripletLoss(model, distance.MANHATTAN, 1)),
        ("triplet", {}, SAME, None, losses.TripletLoss(model)),
        ("triplet", {"margin": 20, "distance": "manhattan"}, SAME, None, losses.TripletLoss(model, distance.MANHATTAN, 20)),
        ("triplet", {}, 1, classes, losses.BatchAllTripletLoss(model)),
        ("triplet", {"margin": 0.5}, 1, classes, losses.BatchAllTripletLoss(model, margin=0.5)),
        ("triplet", {"margin": 0.5}, [4], classes, losses.BatchAllTripletLoss(model, margin=0.5)),
    ]
    shrink = sys.modules["sentence_transformers.sentence_transformer.losses.matryoshka"].shrink
    cases = []
    for name, settings, count, targets, loss in made:
        for dims in [None, [8, 3]] if name in ("multiple_negatives_ranking", "cosent") else [None]:
            used = list(range(count)) if isinstance(count, int) else count
            given = [columns[i].clone().requires_grad_() for i in used]
            # As MatryoshkaLoss: the sum over the widths. For each, embeddings are truncated and scaled to length 1.
            of = lambda parts: loss.compute_loss_from_embeddings(parts, targets)
            weights = [1, 0.25] if name == "cosent" else [1, 1]
            value = of(given) if dims is None else sum(w * of([shrink(column, dim) for column in given]) for w, dim in zip(weights, dims))
            value.backward()
            cases.append({"loss": name, **settings, **({"matryoshka_dims": dims, "matryoshka_weights": weights} if dims else {}), "columns": used,
                          "targets": None if targets is None else targets.tolist(), "value": float(value),
                          "gradients": [column.grad.tolist() for column in given]})
    write("losses.json", {"columns": [column.tolist() for column in columns], "cases": cases})


def short(name):
    return name.replace(".default", "")


def trajectory(name, peft, regularized):
    folder = OUT / name
    folder.mkdir(exist_ok=True)
    model = SentenceTransformer(str(OUT / "model"), device="cpu")
    torch.manual_seed(2)
    model.add_adapter(peft)
    adapted = model[0].model if hasattr(model[0], "model") else model[0].auto_model
    model.train()
    named = {n: p for n, p in adapted.named_parameters() if p.requires_grad}
    if regularized:   # PEFT's P and Q start as noise of 0.02, so the regularizer would have no visible effect in a short run
        for parameter_name, parameter in named.items():
            if "lora_E" not in parameter_name: parameter.data.mul_(5.0)
    else:
        for parameter_name, parameter in named.items():
            if "lora_B" in parameter_name: parameter.data.normal_(0, 0.1)
    save_file({short(n): p.detach().clone() for n, p in named.items()}, folder / "initial.safetensors")
    loss = losses.MultipleNegativesRankingLoss(model)
    optimizer = torch.optim.AdamW(named.values(), lr=5e-3, weight_decay=0.01)
    allocator = None
    if regularized:
        from peft.tuners.adalora import RankAllocator
        allocator = RankAllocator(adapted, peft, "default")
    steps = []
    for step in range(1, 31):
        pairs = [[sentence(), sentence()] for _ in range(4)]
        features = [model.preprocess([pair[column] for pair in pairs]) for column in range(2)]
        value = loss(features, torch.zeros(4))
        objective = value
        if regularized:
            terms = []
            for n, p in named.items():
                if "lora_A" in n or "lora_B" in n:
                    gram = p @ p.T if "lora_A" in n else p.T @ p
                    terms.append(torch.norm(gram - torch.eye(gram.size(0)), p="fro"))
            objective = value + peft.orth_reg_weight * sum(terms) / len(terms)
        objective.backward()
        optimizer.step()
        row = {"pairs": pairs, "loss": float(value), "objective": float(objective)}
        if allocator:
            final = 30 - peft.tfinal
            if step < final:
                row["budget"], pattern = allocator.update_and_allocate(adapted, step)
            elif step == final:
                _, pattern = allocator.update_and_allocate(adapted, step, force_mask=True)
                peft.rank_pattern = pattern
            else:
                allocator.mask_using_rank_pattern(adapted, peft.rank_pattern)
                pattern = None
            if pattern: row["ranks"] = {short(k): sum(bool(x) for x in v) for k, v in pattern.items()}
        optimizer.zero_grad()
        steps.append(row)
    save_file({short(n): p.detach().clone() for n, p in named.items()}, folder / "final.safetensors")
    if not regularized:   # transformers cannot save PEFT's AdaLoRA
        model.save_pretrained(str(folder / "adapter"), create_model_card=False)
        for file in list((folder / "adapter").iterdir()):
            if file.name not in ("adapter_config.json", "adapter_model.safetensors"): shutil.rmtree(file) if file.is_dir() else file.unlink()
        config = json.loads((folder / "adapter/adapter_config.json").read_text())
        write(f"{name}/adapter/adapter_config.json", {**config, "base_model_name_or_path": "../../model"})
    probe = [sentence() for _ in range(3)]
    model.eval()
    write(f"{name}/trace.json", {"steps": steps, "probe": probe, "embeddings": model.encode(probe).tolist()})
    print(name, steps[0]["loss"], steps[-1]["loss"], steps[-1].get("ranks"))


def scores(model):
    texts = list(dict.fromkeys(sentence() for _ in range(60)))[:48]
    queries = {f"q{i}": texts[i] for i in range(8)}
    corpus = {f"d{i}": texts[8 + i] for i in range(36)}
    relevant = {query: set(draw.sample(sorted(corpus), draw.choice([1, 2, 3, 12]))) for query in queries}
    retrieval = InformationRetrievalEvaluator(queries, corpus, relevant, name="x", precision_recall_at_k=[1, 5, 10], mrr_at_k=[10], ndcg_at_k=[10], map_at_k=[100], accuracy_at_k=[1], write_csv=False)(model)
    gold = [draw.choice([0, 0.2, 0.4, 0.6, 0.8, 1]) for _ in range(20)]
    similarity = EmbeddingSimilarityEvaluator(texts[:20], texts[20:40], gold, name="x", write_csv=False)(model)
    triplets = TripletEvaluator(texts[:16], texts[16:32], texts[32:48], name="x", write_csv=False)(model)
    numbers = lambda found: {key: float(value) for key, value in found.items()}
    write("scores.json", {"texts": texts, "embeddings": model.encode(texts).tolist(), "gold": gold,
                          "queries": model.encode_query(list(queries.values())).tolist(), "corpus": model.encode_document(list(corpus.values())).tolist(),
                          "relevant": [sorted(int(doc[1:]) for doc in relevant[query]) for query in queries],
                          "retrieval": numbers(retrieval), "similarity": numbers(similarity), "triplets": numbers(triplets)})


OUT.mkdir(parents=True, exist_ok=True)
model = tiny_model()
embeddings(model)
loss_cases()
TARGETS = ["query", "value", "intermediate.dense"]
trajectory("lora", LoraConfig(task_type="FEATURE_EXTRACTION", r=3, lora_alpha=6, target_modules=TARGETS), False)
trajectory("adalora", AdaLoraConfig(task_type="FEATURE_EXTRACTION", init_r=4, target_r=2, tinit=5, tfinal=8, deltaT=3, total_step=30, lora_alpha=6,
                                    orth_reg_weight=0.1, target_modules=TARGETS), True)
scores(model)
