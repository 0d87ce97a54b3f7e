"""Times what a Python user would run: value + gradient w.r.t. logits, and distance transforms, on the CPU.

    python -m venv v && v/bin/pip install torch monai kornia segmentation-models-pytorch scipy edt opencv-python-headless
    v/bin/python time_peers.py [threads=1] [out.json] [quick]

Prints one line per (workload, peer, loss): min and median milliseconds and ns per element (element = pixel x class).
The workloads and seeds are those of the issue on speed; blobs are smoothed noise, logits N(0,2) shifted towards the truth.

Origin: `peers/time_peers.py`, handed out with the issue on speed (issue 6). These things differ here:
- every row is timed as `bench/timing.ts` times ours: at least 9 runs and at least 0.4 s after the warm-up
  (there 9, 5 for Lovasz, 3 for maps); SciPy's maps keep 3 runs, since they are never the fastest peer;
- `quick` shrinks the arrays and takes one run, so that a test can run the script;
- rows say how many elements and runs they are of;
- the peer "compiled" is torch.compile on two expressions by hand: for the stretch goal, in no target. Left out where it
  cannot compile.
"""
import json, sys, time, warnings
import numpy as np, torch, torch.nn.functional as F
import cv2, edt, kornia.losses as kl, monai.losses as ml, segmentation_models_pytorch.losses as sl
from scipy import ndimage as ndi
warnings.filterwarnings("ignore")
threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
quick = "quick" in sys.argv[3:]
runs, seconds, warm_up = (1, 0, 1) if quick else (9, .4, 2)
torch.set_num_threads(threads); cv2.setNumThreads(threads); torch.manual_seed(0); rng = np.random.default_rng(0)
rows = []

def fault_in_libraries():
    """Map every page of libtorch. Otherwise its AVX-512 log1p may hit never-faulted pages and run 7x slow, which would flatter us."""
    import ctypes
    libc = ctypes.CDLL(None); libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in open("/proc/self/maps"):
        f = line.split()
        if len(f) > 5 and "/libtorch" in f[5] and f[1][0] == "r":
            a, b = (int(v, 16) for v in f[0].split("-")); libc.madvise(a, b - a, 22)  # MADV_POPULATE_READ

fault_in_libraries()
def smooth(shape): return ndi.gaussian_filter(rng.standard_normal(shape), 8)
def class_blobs(n, c, shape): return torch.from_numpy(np.stack([np.stack([smooth(shape) for _ in range(c)]).argmax(0) for _ in range(n)]))
def binary_blobs(n, shape): return torch.from_numpy(np.stack([smooth(shape) > 0.02 for _ in range(n)])[:, None].astype(np.float32))

def overlap(p, y, kind):
    """Dice, Jaccard and Tversky as a PyTorch user writes them by hand, per image and class."""
    d = tuple(range(2, p.dim())); i = (p * y).sum(d); s = p.sum(d) + y.sum(d)
    score = {"dice": (2 * i + 1e-5) / (s + 1e-5), "jaccard": (i + 1e-5) / (s - i + 1e-5), "tversky": (i + 1e-5) / (i + .3 * (p.sum(d) - i) + .7 * (y.sum(d) - i) + 1e-5)}[kind]
    return (1 - score).mean()

def focal_by_hand(z, y):
    if z.shape[1] == 1:
        ce = F.binary_cross_entropy_with_logits(z, y, reduction="none"); pt = torch.exp(-ce)
        return ((.25 * y + .75 * (1 - y)) * (1 - pt) ** 2 * ce).mean()
    ce = F.cross_entropy(z, y, reduction="none"); return ((1 - torch.exp(-ce)) ** 2 * ce).mean()

def record(work, peer, loss, elements, times):
    ms = sorted(t * 1e3 for t in times)
    rows.append(dict(workload=work, peer=peer, loss=loss, threads=threads, elements=elements, runs=len(ms), min_ms=ms[0], median_ms=ms[len(ms) // 2], ns_per_element=ms[len(ms) // 2] * 1e6 / elements))
    print(f"{work:18s} {peer:8s} {loss:14s} min {ms[0]:9.2f} ms  median {ms[len(ms)//2]:9.2f} ms  {rows[-1]['ns_per_element']:8.2f} ns/element", flush=True)

def timed(call, runs=runs):
    for _ in range(warm_up): call()
    times = []
    while len(times) < runs or sum(times) < seconds:
        t = time.perf_counter(); call(); times.append(time.perf_counter() - t)
    return times

def run(work, z, cases):
    for (peer, loss), f in cases.items():
        if f is None: continue
        def call(): z.grad = None; f().backward()
        try: times = timed(call)
        except Exception as error:
            if peer != "compiled": raise
            print(f"{work:18s} {peer:8s} {loss:14s} left out: {str(error).splitlines()[0]}", flush=True); continue
        record(work, peer, loss, z.numel(), times)

def compiled(f):
    """torch.compile of an expression by hand, which fuses it; None where quick."""
    if quick: return None
    c = torch.compile(f); return lambda: c(z)

y = binary_blobs(*((2, (32, 32)) if quick else (8, (512, 512)))); yl = y.long(); z = (torch.randn_like(y) * 2 + (y * 2 - 1)).requires_grad_(); phi = torch.randn_like(z)
run("W1 8x1x512x512", z, {
    ("torch", "crossEntropy"): lambda: F.binary_cross_entropy_with_logits(z, y),
    ("monai", "focal"): lambda: ml.FocalLoss(gamma=2, alpha=.25)(z, y), ("smp", "focal"): lambda: sl.FocalLoss("binary", alpha=.25)(z, yl),
    ("monai", "dice"): lambda: ml.DiceLoss(sigmoid=True)(z, y), ("smp", "dice"): lambda: sl.DiceLoss("binary")(z, yl),
    ("monai", "tversky"): lambda: ml.TverskyLoss(sigmoid=True, alpha=.3, beta=.7)(z, y), ("smp", "jaccard"): lambda: sl.JaccardLoss("binary")(z, y),
    **{("torch", k): lambda k=k: overlap(torch.sigmoid(z), y, k) for k in ("dice", "jaccard", "tversky")}, ("torch", "focal"): lambda: focal_by_hand(z, y),
    ("kornia", "focal"): lambda: kl.binary_focal_loss_with_logits(z, y, alpha=.25, gamma=2., reduction="mean"),
    ("monai", "dice+ce"): lambda: ml.DiceCELoss(sigmoid=True)(z, y),
    ("torch", "dice+ce"): lambda: overlap(torch.sigmoid(z), y, "dice") + F.binary_cross_entropy_with_logits(z, y), ("torch", "boundary"): lambda: (torch.sigmoid(z) * phi).mean(),
    ("smp", "lovasz"): lambda: sl.LovaszLoss("binary", per_image=True)(z[:, 0], y[:, 0]), ("kornia", "lovasz"): lambda: kl.lovasz_hinge_loss(z, yl[:, 0]),
    ("compiled", "dice"): compiled(lambda z: overlap(torch.sigmoid(z), y, "dice"))})
for work, n, c, shape in (("W2 4x21x256x256", 4, 21, (32, 32) if quick else (256, 256)), ("W3 1x4x128^3", 1, 4, (16,) * 3 if quick else (128,) * 3)):
    y = class_blobs(n, c, shape); y1 = y[:, None]; z = (torch.randn(n, c, *shape) * 2 + 2 * F.one_hot(y, c).movedim(-1, 1)).requires_grad_(); phi = torch.randn_like(z)
    hot = F.one_hot(y, c).movedim(-1, 1).float().contiguous()
    one = dict(softmax=True, to_onehot_y=True)
    cases = {
        ("torch", "crossEntropy"): lambda: F.cross_entropy(z, y),
        ("monai", "focal"): lambda: ml.FocalLoss(gamma=2, use_softmax=True, to_onehot_y=True)(z, y1), ("smp", "focal"): lambda: sl.FocalLoss("multiclass")(z, y),
        ("monai", "dice"): lambda: ml.DiceLoss(**one)(z, y1), ("smp", "dice"): lambda: sl.DiceLoss("multiclass")(z, y),
        ("monai", "tversky"): lambda: ml.TverskyLoss(alpha=.3, beta=.7, **one)(z, y1), ("smp", "jaccard"): lambda: sl.JaccardLoss("multiclass")(z, y),
        **{("torch", k): lambda k=k: overlap(torch.softmax(z, 1), hot, k) for k in ("dice", "jaccard", "tversky")}, ("torch", "focal"): lambda: focal_by_hand(z, y),
        ("kornia", "focal"): lambda: kl.focal_loss(z, y, alpha=None, gamma=2., reduction="mean"),
        ("torch", "dice+ce"): lambda: overlap(torch.softmax(z, 1), hot, "dice") + F.cross_entropy(z, y),
        ("monai", "generalizedDice"): lambda: ml.GeneralizedDiceLoss(**one)(z, y1), ("monai", "dice+ce"): lambda: ml.DiceCELoss(**one)(z, y1),
        ("torch", "boundary"): lambda: (torch.softmax(z, 1) * phi).mean(), ("smp", "lovasz"): lambda: sl.LovaszLoss("multiclass")(z, y)}
    if len(shape) == 2: cases["kornia", "lovasz"] = lambda: kl.lovasz_softmax_loss(z, y)
    if c == 21: cases["compiled", "crossEntropy"] = compiled(lambda z: F.cross_entropy(z, y))
    run(work, z, cases)
flat, small, large = ((2, (32, 32)), (40,) * 3, (48,) * 3) if quick else ((8, (512, 512)), (128,) * 3, (256,) * 3)
masks = {"8 x 512^2": binary_blobs(*flat)[:, 0].numpy().astype(np.uint8), "128^3": (smooth(small) > .002).astype(np.uint8)[None], "256^3": (smooth(large) > .002).astype(np.uint8)[None]}
for work, m in masks.items():
    two = {("opencv", "distance"): lambda a: cv2.distanceTransform(a, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)} if m.ndim == 3 and len(m) > 1 else {}
    for (peer, loss), f in {**two, ("edt", "distance"): lambda a: edt.edt(a, parallel=threads), ("edt", "signed"): lambda a: edt.sdf(a, parallel=threads),
                            ("scipy", "distance"): ndi.distance_transform_edt}.items():
        def call():
            for a in m: f(a)
        record(work, peer, loss, m.size, timed(call, min(runs, 3) if peer == "scipy" else runs))
if len(sys.argv) > 2: json.dump(rows, open(sys.argv[2], "w"), indent=1)
