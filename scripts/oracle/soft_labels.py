"""Losses and gradients of soft labels with PyTorch in double precision: src/program/objectives/fixtures/soft-loss.json.

    python scripts/oracle/soft_labels.py > src/program/objectives/fixtures/soft-loss.json && \
        npx biome format --write src/program/objectives/fixtures
"""
import json, sys
import torch
import torch.nn.functional as F

torch.manual_seed(7)
ROWS, CLASSES = 6, 4
LABELS = [2, 0, 3, 1, None, None]
logits = torch.randn(ROWS, CLASSES).mul(2).float()
teacher = torch.randn(ROWS, CLASSES).mul(3).float()
teacher[1, 2] = -300.0  # a probability of 0
cases = []
for temperature, share, smoothing in [(1, 0.5, 0), (2, 0.5, 0), (2, 1, 0), (4, 0.25, 0.1), (0.5, 0.9, 0)]:
    z = logits.double().requires_grad_()
    total = 0
    for row, label in enumerate(LABELS):
        soft = F.softmax(teacher[row].double() / temperature, 0)
        divergence = F.kl_div(F.log_softmax(z[row] / temperature, 0), soft, reduction="sum") * temperature**2
        if label is None:
            total = total + divergence
        else:
            entropy = F.cross_entropy(z[row][None], torch.tensor([label]), label_smoothing=smoothing)
            total = total + (1 - share) * entropy + share * divergence
    loss = total / ROWS
    loss.backward()
    cases.append({"temperature": temperature, "share": share, "smoothing": smoothing, "loss": loss.item(),
                  "gradient": z.grad.flatten().tolist()})
json.dump({"torch": torch.__version__, "labels": LABELS, "logits": logits.flatten().tolist(), "teacher": teacher.flatten().tolist(),
           "cases": cases}, sys.stdout)
