"""Times of FAISS, in us a user, on one thread, as its users would set it up: Flat with all users in one batch (its fastest way), HNSW and IVF at the
cheapest setting of their search that finds .99 of the true best. Inner product. Each time is one of RUNS; called by run.sh.
"""
import json
import sys
import time

import faiss
import numpy as np

folder, D, top, runs = sys.argv[1], *map(int, sys.argv[2:5])
faiss.omp_set_num_threads(1)


def rows(name):
    return np.fromfile(f"{folder}/{name}", dtype=np.float32).reshape(-1, D)


def times(index, users):
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        index.search(users, top)
        found.append((time.perf_counter() - start) * 1e6 / len(users))
    return found


def recall(index, users, truth):
    _, ids = index.search(users, top)
    return sum(len(np.intersect1d(a, b)) for a, b in zip(ids, truth)) / truth.size


def cheapest(index, users, truth, setting, values):
    """The first value with a recall of .99; the last one where none has."""
    for value in values:
        setting(value)
        reached = recall(index, users, truth)
        if reached >= .99:
            break
    return reached


def approximate(items, users, truth):
    answer = {}
    hnsw = faiss.IndexHNSWFlat(D, 32, faiss.METRIC_INNER_PRODUCT)
    hnsw.hnsw.efConstruction = 100
    hnsw.add(items)
    few, few_truth = users[:1024], truth[:1024]
    def ef(value):
        hnsw.hnsw.efSearch = value
    answer["hnsw_recall"] = cheapest(hnsw, few, few_truth, ef, [16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048])
    answer["hnsw_ef"] = hnsw.hnsw.efSearch
    answer["hnsw"] = times(hnsw, users)
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(D), D, 320, faiss.METRIC_INNER_PRODUCT)
    ivf.train(items)
    ivf.add(items)
    def probe(value):
        ivf.nprobe = value
    answer["ivf_recall"] = cheapest(ivf, few, few_truth, probe, [4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256])
    answer["ivf_nprobe"] = ivf.nprobe
    answer["ivf"] = times(ivf, users)
    return answer


answer = {"version": faiss.__version__}
for name in ("learned", "worst"):
    items, users = rows(f"{name}.items"), rows(f"{name}.users")
    flat = faiss.IndexFlatIP(D)
    flat.add(items)
    _, truth = flat.search(users, top)
    answer[name] = {"flat": times(flat, users)}
    if name == "learned":
        answer[name].update(approximate(items, users, truth))
print(json.dumps(answer))
