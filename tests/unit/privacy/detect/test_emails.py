"""E-mail addresses: RFC 5321 and 6531, as people write them."""

import pytest

from tests.unit.privacy.detect.marked import check, plain, spread

ADDRESSES = (
    "ivan.petrov@example.com", "j.doe@mail.example.co.uk", "hr+intake@example.org", "a@b.ru",
    "ann_lee99@example.net", "first-last@sub-domain.example.com", "бухгалтерия@пример.рф",
    "иван@почта.пример.рф", "info@xn--e1afmkfd.xn--p1ai", "user%tag@example.org",
    "i@example.museum",
    "MÜLLER@exämple.de", "x_y.z-1@example.io", "Ivan.Petrov@Example.COM",
)  # fmt: skip
SAID = """\
@
Пишите на @ или звоните
почта @.
Send it to @ and cc others
<@>
(@)
mailto:@
mailto:@?subject=hi
{"email": "@"}
{'email':'@'}
email=@&x=1
"@"
Иван <@>,
Иван;@;Москва
1,@,Омск
| Иван | @ |
<a href="mailto:@">
E-mail:@
e-mail: @;
[@](x)
@, @
@\\n@
user: @!
«@»
"text\\\\n@\\\\n"
Почта:\u00a0@
"""
NOT = """\
@app.route
@property
@media screen
@ivan
user@
user@host
user@localhost
a @ b
x@y
x @ W.T
q@k.transpose(1, 2)
obj@self.someMethod
logo@2x.png
icon@3x.jpg
image@2x.webp
react@18.2.0
lodash@4.17.21
pkg@latest
actions/checkout@v4
actions/checkout@v4.1.2
git@github.com:owner/name.git
git@gitlab.com:owner/name.git
git clone ssh://git@github.com/owner/name.git
getty@tty1.service
https://user@example.com/path
https://user:pass@example.com/path
postgres://app:$PASS@db.internal:5432/prod
redis://:password@cache.internal:6379
pkg:npm/%40angular/core@12.3.1
@types/node
@@ -1,4 +1,5 @@
foo@bar@
a@b..ru
a@-b.ru
a@.ru
.@b.ru
@@@
5@5.5
https://example.com/@user/post
https://medium.com/@user.name
docker pull alpine@sha256:0123
ftp://anonymous:@ftp.example.com/
$x@$y.z
price@100.50
"""


@pytest.mark.parametrize("text", [*spread(SAID, ADDRESSES), *spread("@", ADDRESSES)])
def test_email(text: str) -> None:
    check(text, "email")


@pytest.mark.parametrize("text", plain(NOT.replace("@", "\x01"), [""]))
def test_no_email(text: str) -> None:
    check(text.replace("\x01", "@"), "email")


def test_addresses_that_are_hidden_quoted_or_of_a_number() -> None:
    check("⟦ivan [at] example.com⟧", "email")
    check("пишите: ⟦ivan (собака) пример.рф⟧", "email")
    check("⟦ivan (at) example (dot) com⟧ please", "email")
    check('⟦"ivan petrov"@example.com⟧', "email")
    check("⟦o'brien@example.com⟧", "email")
    check("⟦ivan@[192.168.1.1]⟧", "email")
    check("⟦ivan＠example.com⟧", "email")
    check("⟦ivan@exam\u00adple.com⟧", "email")
    check("look (at) this", "email")
    check("собака (at) будка", "email")


def test_an_address_is_no_longer_than_it_can_be() -> None:
    check("a" * 65 + "@example.com", "email")
    check("⟦" + "a" * 64 + "@example.com⟧", "email")
