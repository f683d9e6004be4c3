"""The official scripts of SQuAD, evaluate-v1.1.py and evaluate-v2.0.py, as functions: for squad_cases.py and score_files.py."""
import importlib.util


def load(path):
    spec = importlib.util.spec_from_file_location("official", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scores_v2(script, data, predictions, odds=None):
    """Returns the output of evaluate-v2.0.py. If null odds are given, it contains the best thresholds."""
    answered = script.make_qid_to_has_ans(data)
    raw = script.get_raw_scores(data, predictions)
    known = odds or dict.fromkeys(predictions, 0.0)
    exact, f1 = (script.apply_no_ans_threshold(scores, known, answered, 1.0) for scores in raw)
    out = script.make_eval_dict(exact, f1)
    for prefix, has in [("HasAns", True), ("NoAns", False)]:
        ids = [id for id, value in answered.items() if value == has]
        if ids:
            script.merge_eval(out, script.make_eval_dict(exact, f1, qid_list=ids), prefix)
    if odds:
        script.find_all_best_thresh(out, predictions, *raw, odds, answered)
    return out
