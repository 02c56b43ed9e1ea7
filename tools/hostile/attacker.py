"""The attacker's process: attacker.py TARGET-AS-JSON SECONDS NAME."""

import json
import os
import sys

from hostile.attack import Attack
from hostile.attacks import ATTACKS
from hostile.evil import Target

if __name__ == "__main__":
    fight = Attack(Target(**json.loads(sys.argv[1])), float(sys.argv[2]))
    print(json.dumps({"text": str(ATTACKS[sys.argv[3]](fight))}), flush=True)
    os._exit(0)     # threads that still read or wait have nothing to end
