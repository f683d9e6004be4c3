"""Trains a classifier of texts from a file with another program, or predicts with it, as whole commands for bench/from-file/run.ts:

    python from_file.py setfit | logistic | fasttext train ROWS.jsonl MODEL [ENCODER] [SEED]
    python from_file.py setfit | logistic | fasttext predict ROWS.jsonl MODEL [ENCODER]

A row is {"text", "text_pair"?, "label"}. The texts of a pair are joined by a space. `predict` prints the label of each row as a JSON
list. Only the program's own imports are loaded. All programs have their defaults, unless a comment gives a reason.
"""

import json
import pickle
import sys


def texts(rows):
    return [" ".join(filter(None, [row["text"], row.get("text_pair")])) for row in rows]


def labels(rows):
    return [row["label"] for row in rows]


class SetFit:
    def train(self, rows, path, encoder, seed):
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        model = SetFitModel.from_pretrained(encoder)
        dataset = Dataset.from_dict({"text": texts(rows), "label": labels(rows)})
        # 20 pairs per row for each kind, as in the paper; the package's other defaults.
        arguments = TrainingArguments(num_iterations=20, num_epochs=1, seed=seed, report_to="none", save_strategy="no")
        Trainer(model=model, args=arguments, train_dataset=dataset).train()
        model.save_pretrained(path)

    def predict(self, rows, path, encoder):
        from setfit import SetFitModel

        return [str(label) for label in SetFitModel.from_pretrained(path).predict(texts(rows))]


class Logistic:
    """scikit-learn's logistic regression on vectors of a frozen encoder."""

    def vectors(self, rows, encoder):
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(encoder).encode(texts(rows), show_progress_bar=False)

    def train(self, rows, path, encoder, seed):
        from sklearn.linear_model import LogisticRegression

        with open(path, "wb") as file:
            pickle.dump(LogisticRegression(max_iter=1000).fit(self.vectors(rows, encoder), labels(rows)), file)

    def predict(self, rows, path, encoder):
        with open(path, "rb") as file:
            return pickle.load(file).predict(self.vectors(rows, encoder)).tolist()


class FastText:
    """A label is a number in fastText's file, because its words end at a space."""

    def train(self, rows, path, encoder, seed):
        import fasttext

        names = sorted(set(labels(rows)))
        with open(f"{path}.txt", "w") as file:
            for row, text in zip(rows, texts(rows)):
                file.write(f"__label__{names.index(row['label'])} {' '.join(text.split())}\n")
        # The documentation's settings for few rows; with the defaults it predicts one class.
        settings = dict(lr=1.0, epoch=25, wordNgrams=2, thread=1, seed=seed, verbose=0)
        fasttext.train_supervised(f"{path}.txt", **settings).save_model(path)
        with open(f"{path}.json", "w") as file:
            json.dump(names, file)

    def predict(self, rows, path, encoder):
        import fasttext

        model = fasttext.load_model(path)
        with open(f"{path}.json") as file:
            names = json.load(file)
        # `f` is the library's own object: its wrapper does not know NumPy 2.
        found = [model.f.predict(" ".join(text.split()) + "\n", 1, 0.0, "strict") for text in texts(rows)]
        return [names[int(best[0][1].removeprefix("__label__"))] for best in found]


if __name__ == "__main__":
    program, action, path, model, *others = sys.argv[1:]
    with open(path) as file:
        given = [json.loads(line) for line in file]
    answers, sys.stdout = sys.stdout, sys.stderr  # progress must not be in the labels
    one = {"setfit": SetFit, "logistic": Logistic, "fasttext": FastText}[program]()
    encoder = others[0] if others else None
    if action == "train":
        one.train(given, model, encoder, int(others[1]) if len(others) > 1 else 0)
    else:
        json.dump(one.predict(given, model, encoder), answers)
