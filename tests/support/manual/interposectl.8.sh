# shellcheck shell=bash
# A server, a volume of device-mapper on the other disk, and a service manager's word for its end.
serve_vol0
dmsetup info vg-lv >/dev/null 2>&1 ||
    dmsetup create vg-lv --table "0 $(blockdev --getsz /dev/vdd) linear /dev/vdd 0"
systemctl() {
    expect_eq "$*" 'stop interposed'
    kill -TERM "$server"
    eventually 60 has_ended "$server"
}
