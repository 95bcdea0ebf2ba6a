"""What common words look like, and what stands where a secret would."""

from __future__ import annotations

from typing import Final

# The commonest English letter pairs: about 80% of pairs in words, about 22% in random letters.
PAIRS: Final = frozenset(
    """
    th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi
    ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc
    et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv
    ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do
    uc bu ei ov by rm ep tt oc fa ef cu rn sc gi da yo cr cl du ga qu ue ff ba ey ls va um pp ua up lu go ht
    ru ug ds lt pi rc rr eg au ck ew mu br bi pt ak pu ui rg ib tl ny ki rk ys ob mm fu ph og ms ye ud mb ip
    ub oi rl gu dr hr cc tw ft wn nu af hu nn eo vo rv nf xp gn sm fl iz ok nl my gl aw ju oa eq sy sl ps jo
    lf nv je nk kn gs dy hy ze ks xt bs ik dd pt rp sk xi oe oy ws lv dl rf eu dg wr xa yi nm eb rb tm xc eh
    tc gy ja hn yp za gg lk mc
    """.split()  # noqa: SIM905
)
# Plain searches beat one pattern of forty branches by twenty times, and this runs for every candidate value.
MARKERS: Final = (
    "xxxx", "***", "...", "…", "•••", "____", "####", "00000000", "${", "$(", "{{", "}}", "%(", "your-", "your_", "your ", "-here", "_here", "here>", "example", "sample", "placeholder",
    "changeme", "change-me", "change_me", "changethis", "change-this", "change_this", "replace", "insert-", "insert_", "dummy", "redacted", "todo", "fixme", "lorem", "foobar",
    "1234567890abcdef", "abcdefghij", "deadbeef", "not-a-real", "not_a_real", "my-secret", "my_secret", "mysecret", "my-token", "my_token", "mytoken", "my-password", "my_password",
    "mypassword", "my-api", "my_api", "myapi",
)  # fmt: skip
DEFAULTS: Final = frozenset(
    """
    password passwd pass pwd secret token key apikey api_key none null nil true false undefined yes no on
    off root admin user username test testing guest default postgres mysql redis mongo string str text
    hidden required optional enabled disabled empty prompt ask env environ vault keyring input value
    changeit letmein abc foo bar baz qux object number boolean bool int integer any unknown float bytes
    varchar secretstr password123 secret123 unset unused hunter2 correct missing invalid wrong forgotten
    expired protected private public self this new old current
    """.split()  # noqa: SIM905
)
