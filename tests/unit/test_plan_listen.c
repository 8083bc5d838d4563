/* `listen` and `admin` in a configuration. */
#include "plan_text.h"
#include "suite.h"

START_TEST(wrong_addresses_to_listen_on_are_refused)
{
    PLAN_REFUSE(
        "listen:\n  - ftp://x\n  - https://[::]:8443\n  - 65536\n  - 080\n"
        "  - http://h:80/x\n  - unix:run/x\n  - \"systemd:\"\n  - {}\n  - []\n"
        "  - http://:80\n  - http://a:b\n  - http://::1:80\n  - http://[::g]\n"
        "  - http://10.0.0.256\n  - http://u@h\n  - http://[::1]x\n  - http://[::1\n",
        "gw.yaml:2:5: listen[0]: expected a URL like http://10.0.0.5:8001, found "
        "\"ftp://x\"",
        "gw.yaml:3:5: listen[1]: https needs a certificate: write {url: …, "
        "tls: {cert: …, key: …}}",
        "gw.yaml:4:5: listen[2]: \"65536\" is no port; ports are 1 to 65535",
        "gw.yaml:5:5: listen[3]: \"080\" is no port; ports are 1 to 65535",
        "gw.yaml:6:5: listen[4]: an address to listen on has no path; remove "
        "\"/x\"",
        "gw.yaml:7:5: listen[5]: a unix socket needs an absolute path: "
        "unix:/run/x.sock",
        "gw.yaml:8:5: listen[6]: systemd: needs the FileDescriptorName of a "
        "socket unit, like systemd:http",
        "gw.yaml:9:5: listen[7]: url is missing",
        "gw.yaml:10:5: listen[8]: expected a port, http://HOST:PORT, "
        "https://HOST:PORT, unix:/PATH or systemd:NAME, found a list",
        "gw.yaml:11:5: listen[9]: the URL has no host",
        "gw.yaml:12:5: listen[10]: \"b\" is no port; ports are 1 to 65535",
        "gw.yaml:13:5: listen[11]: an IPv6 address needs brackets: "
        "http://[::1]:8080",
        "gw.yaml:14:5: listen[12]: \"::g\" is no host name or address",
        "gw.yaml:15:5: listen[13]: \"10.0.0.256\" is no host name or address",
        "gw.yaml:16:5: listen[14]: a URL here has no user name or password",
        "gw.yaml:17:5: listen[15]: only a port can follow the ] of an IPv6 "
        "address",
        "gw.yaml:18:5: listen[16]: the IPv6 address has no closing ]");
    PLAN_REFUSE("listen: []\n",
                "gw.yaml:1:9: listen: expected 1 to 64 addresses, found 0");
    PLAN_REFUSE("listen: [8080, \"http://[::]:8080\"]\n",
                "gw.yaml:1:16: listen[1]: http://[::]:8080 stands twice");
    PLAN_REFUSE("listen: [systemd:a, systemd:b, systemd:a]\n",
                "gw.yaml:1:32: listen[2]: systemd:a stands twice");
}
END_TEST

START_TEST(wrong_options_of_a_listener_are_refused)
{
    PLAN_REFUSE(
        "listen:\n"
        "  - {url: 1, mode: 0660}\n"
        "  - {url: unix:/a, mode: 660u}\n"
        "  - {url: unix:/b, mode: 0999}\n"
        "  - {url: unix:/c, mode: 07777}\n"
        "  - {url: unix:/d, owner: nobody-of-this-name, group: nobodies}\n"
        "  - {url: 2, proxy_protocol: true}\n"
        "  - {url: 3, backlog: 0}\n"
        "  - {url: \"http://[::]:4\", tls: {cert: a, key: b}}\n"
        "  - {url: 5, ports: 6}\n",
        "gw.yaml:2:14: listen[0].mode: is for unix sockets only",
        "gw.yaml:3:26: listen[1].mode: expected permissions like 0660, found \"660u\"",
        "gw.yaml:4:26: listen[2].mode: expected permissions like 0660, found \"0999\"",
        "gw.yaml:5:26: listen[3].mode: expected permissions like 0660, found \"07777\"",
        "gw.yaml:6:27: listen[4].owner: there is no user \"nobody-of-this-name\" on this "
        "machine",
        "gw.yaml:6:55: listen[4].group: there is no group \"nobodies\" on this machine",
        "gw.yaml:7:14: listen[5].proxy_protocol: would refuse every connection: "
        "trusted_proxies is missing",
        "gw.yaml:8:23: listen[6].backlog: \"0\" is out of range: allowed is from 1 to "
        "65535",
        "gw.yaml:9:28: listen[7].tls: has no effect: the url says http; write https",
        "gw.yaml:10:14: listen[8].ports: unknown key; allowed are url, tls, "
        "proxy_protocol, backlog, mode, owner, group");
}
END_TEST

START_TEST(an_admin_endpoint_others_can_reach_needs_a_token)
{
    PLAN_REFUSE("admin: http://0.0.0.0:9901\n",
                "gw.yaml:1:8: admin: http://0.0.0.0:9901 can be reached from other "
                "machines: write {url: …, token: …}, or use a loopback address");
    PLAN_REFUSE("admin: 9901\n",
                "gw.yaml:1:8: admin: http://[::]:9901 can be reached from other "
                "machines: write {url: …, token: …}, or use a loopback address");
    PLAN_REFUSE("admin: {url: http://gw.example, token: \"a b\"}\n",
                "gw.yaml:1:40: admin.token: a token has visible ASCII characters only");
    PLAN_REFUSE("admin: {token: \"\"}\n",
                "gw.yaml:1:16: admin.token: a token has 1 to 1024 characters");
    PLAN_REFUSE("admin: on\n", "gw.yaml:1:8: admin: expected a port, http://HOST:PORT, "
                               "unix:/PATH or systemd:NAME, found \"on\"");
    PLAN_REFUSE("admin: https://localhost:1\n",
                "gw.yaml:1:8: admin: https is not spoken here; use a loopback address or "
                "a unix socket");
}
END_TEST

GD_SUITE("plan listen", wrong_addresses_to_listen_on_are_refused,
         wrong_options_of_a_listener_are_refused,
         an_admin_endpoint_others_can_reach_needs_a_token)
