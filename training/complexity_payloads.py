"""Things people paste: code, tables, logs, JSON, mail, and articles put together from sentences. Written for this project."""

from __future__ import annotations

import random

PAYLOADS: dict[str, list[str]] = {
    "code": [
        "def mean(values):\n    total = 0\n    for value in values:\n        total += value\n    return total / len(values)",
        "import os\n\ndef walk(root):\n    for name in os.listdir(root):\n        path = os.path.join(root, name)\n        if os.path.isdir(path):\n            yield from walk(path)\n        else:\n            yield path",
        "function debounce(fn, wait) {\n  let timer = null;\n  return (...args) => {\n    clearTimeout(timer);\n    timer = setTimeout(() => fn(...args), wait);\n  };\n}",
        "public class Counter {\n    private int count;\n    public synchronized void increment() {\n        count++;\n    }\n    public int get() {\n        return count;\n    }\n}",
        "fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {\n    if a.len() > b.len() {\n        a\n    } else {\n        b\n    }\n}",
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tch := make(chan int)\n\tgo func() {\n\t\tfor i := 0; i < 3; i++ {\n\t\t\tch <- i\n\t\t}\n\t\tclose(ch)\n\t}()\n\tfor v := range ch {\n\t\tfmt.Println(v)\n\t}\n}',
        "SELECT c.name, SUM(o.total) AS spent\nFROM customers c\nJOIN orders o ON o.customer_id = c.id\nWHERE o.created_at > '2024-01-01'\nGROUP BY c.name\nORDER BY spent DESC;",
        "#include <stdio.h>\n\nint main(void) {\n    int values[] = {3, 1, 2};\n    for (int i = 0; i <= 3; i++) {\n        printf(\"%d\\n\", values[i]);\n    }\n    return 0;\n}",
        '<form id="login">\n  <label for="user">User</label>\n  <input id="user" name="user">\n  <button type="submit">Go</button>\n</form>',
        "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n        self.items.append(item)\n\n    def pop(self):\n        return self.items.pop()",
        '#!/bin/bash\nfor file in *.log; do\n  if [ -s "$file" ]; then\n    gzip "$file"\n  fi\ndone',
        "const useFetch = (url) => {\n  const [data, setData] = useState(null);\n  useEffect(() => {\n    fetch(url).then((r) => r.json()).then(setData);\n  }, []);\n  return data;\n};",
    ],
    "table": [
        "date,product,units,revenue\n2024-01-01,tea,12,48.00\n2024-01-02,coffee,30,150.50\n2024-01-03,cocoa,7,35.10\n2024-01-04,tea,15,60.00",
        "| name | team | hours |\n|---|---|---|\n| Ana | red | 12 |\n| Bo | blue | 31 |\n| Cy | red | 9 |",
        "id\tcity\ttemp\n1\tOslo\t-3\n2\tLima\t22\n3\tCairo\t31\n4\tDelhi\t35",
        "host;cpu;mem;disk\nweb1;20;55;70\nweb2;85;60;71\ndb1;40;92;88",
    ],
    "log": [
        "2024-05-01 10:00:01 INFO server started on port 8080\n2024-05-01 10:00:07 WARN slow query 2.3 s\n2024-05-01 10:00:09 ERROR connection reset by peer\n2024-05-01 10:00:10 INFO retrying",
        'Traceback (most recent call last):\n  File "app.py", line 12, in <module>\n    main()\n  File "app.py", line 8, in main\n    value = data["key"]\nKeyError: \'key\'',
        "May  3 04:11:20 node7 kernel: Out of memory: Killed process 3121 (java)\nMay  3 04:11:21 node7 systemd: app.service: main process exited\nMay  3 04:11:26 node7 systemd: app.service: restarting",
        "Exception in thread \"main\" java.lang.NullPointerException\n    at com.example.Order.total(Order.java:42)\n    at com.example.Main.main(Main.java:9)\nCaused by: java.lang.IllegalStateException: no cart",
    ],
    "json": [
        '{\n  "id": 17,\n  "user": {"name": "Ana", "city": "Oslo"},\n  "items": [\n    {"sku": "A1", "qty": 2},\n    {"sku": "B7", "qty": 1}\n  ]\n}',
        '[{"id": 1, "ok": true}, {"id": 2, "ok": false}, {"id": 3, "ok": true}]',
        '{"service": "billing", "replicas": 3, "limits": {"cpu": "500m", "memory": "256Mi"}, "env": {"MODE": "prod"}}',
    ],
    "mail": [
        "From: Ana <ana@example.org>\nTo: team@example.org\nSubject: Moving the review\n\nHi all,\n\nthe room is taken on Tuesday, so the review moves to Thursday at 14:00. Please bring the figures.\n\nBest\nAna",
        "> Hello,\n> the parcel has not arrived after three weeks.\n> I would like my money back.\n> Regards, Ben",
        "Von: Karl\nAn: Vertrieb\nBetreff: Angebot\n\nGuten Tag,\nkönnten wir das Angebot bis Freitag bekommen? Die Menge bleibt bei 200 Stück.\nViele Grüße\nKarl",
        "Subject: You have been selected!\nFrom: prizes@example.net\n\nDear winner,\nclick the link below within 24 hours to receive your reward. Do not share this message.",
    ],
}  # fmt: skip

_SUBJECTS = (
    "The old harbour", "The university", "The railway company", "The museum", "The northern province", "The cathedral",
    "The river valley", "The textile industry", "The observatory", "The expedition", "The orchestra", "The council",
)  # fmt: skip
_SENTENCES = (
    "{s} was founded in {y} by a group of merchants who had settled near the western gate a generation earlier.",
    "By {y} it employed more than {n} people, most of whom lived in the districts along the canal.",
    "The building was damaged by fire in {y} and restored over the following decade under the direction of local architects.",
    "Its population grew from {n} to almost twice that number before the war, then declined as trade moved elsewhere.",
    "Historians disagree about the reasons for the decline, although most point to the silting of the estuary and rising tariffs.",
    "In {y} the assembly passed an act that placed the roads, bridges and wells under a common administration.",
    "The collection includes manuscripts, maps and instruments, many of them donated by travellers returning from the east.",
    "Rainfall is highest between October and January, and the slopes are covered by forests of beech and pine.",
    "A second line was opened in {y}, linking the coast with the mining towns of the interior.",
    "The species was first described in {y} from specimens collected at an altitude of {n} metres.",
    "After the reform of {y}, membership was opened to all residents, and annual meetings were held in the main hall.",
    "Contemporary accounts describe crowded markets, narrow lanes and a lively theatre near the northern wall.",
    "Today it is part of a protected area and receives around {n} visitors a year, chiefly in the summer months.",
    "The proposal was rejected twice before the government agreed to share the cost with the neighbouring towns.",
    "Analysts said the merger would reduce costs, but unions warned that several sites were likely to close.",
    "The company reported revenue of {n} million in {y}, slightly below expectations, and lowered its outlook.",
    "Researchers found that the treatment reduced symptoms in about a third of patients over {n} weeks.",
)


def article(rng: random.Random) -> str:
    """Four to nine declarative sentences about nothing in particular."""
    chosen = rng.sample(_SENTENCES, rng.randint(4, 9))
    first = _SENTENCES[0]
    lines = [first, *(sentence for sentence in chosen if sentence != first)]
    return " ".join(
        line.format(
            s=rng.choice(_SUBJECTS), y=rng.randint(1450, 2022), n=rng.choice((40, 300, 1200, 4500, 20000))
        )
        for line in lines
    )
