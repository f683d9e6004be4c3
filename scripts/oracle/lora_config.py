"""Makes PEFT's LoraConfig from a JSON file of its settings: python lora_config.py FILE.json"""

import json
import sys

import peft

with open(sys.argv[1]) as file:
    print(peft.LoraConfig(**json.load(file)).rank_pattern)
