#!/bin/sh
# Starts Ceph's object gateway from Debian's packages (radosgw ceph-mon ceph-osd) on loopback, with
# its data in memory: one monitor, one store, no manager.
#
#     start_rgw.sh FOLDER
#
# FOLDER is new; it gets `endpoint` (a line, written last), `output`, `pids` and logs. Stop it with
# stop.sh FOLDER. The keys are testkey and testsecret; buckets may be in the host's name too.
set -eu

dir=${1:?the folder}
. "$(dirname "$0")/lib.sh"
for command in ceph-mon ceph-osd radosgw radosgw-admin monmaptool ceph-authtool ceph; do
    command -v "$command" >/dev/null || {
        echo "start_rgw: no $command: apt-get install radosgw ceph-mon ceph-osd" >&2
        exit 1
    }
done
mkdir -p "$dir/mon" "$dir/osd" "$dir/rgw" "$dir/run" "$dir/log"
dir=$(cd "$dir" && pwd)
: >"$dir/pids"

set -- $(free_ports 3)
port=$1 mon_v1=$2 mon_v2=$3
fsid=$(cat /proc/sys/kernel/random/uuid)
mon_address="[v2:127.0.0.1:$mon_v2,v1:127.0.0.1:$mon_v1]"

# Without authentication among the daemons the connections to the monitor must not ask for it.
cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = $mon_address
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms client mode = crc
ms bind ipv4 = true
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
mon data = $dir/mon
osd data = $dir/osd
rgw data = $dir/rgw
run dir = $dir/run
admin socket = $dir/run/\$cluster-\$name.asok
log file = $dir/log/\$name.log
rgw frontends = beast endpoint=127.0.0.1:$port
rgw run sync thread = false
rgw enable apis = s3
rgw dns name = localhost
# Of lifecycle rules a day.
rgw lc debug interval = 2
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = akidb-tests=$(head -c 32 /dev/urandom | base64)
CONF
CEPH_CONF=$dir/ceph.conf
export CEPH_CONF

ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' \
    >/dev/null
monmaptool --create --fsid "$fsid" --addv a "$mon_address" "$dir/monmap" >/dev/null
ceph-mon --mkfs -i a -c "$dir/ceph.conf" --monmap "$dir/monmap" --keyring "$dir/keyring"
started ceph-mon -f -i a -c "$dir/ceph.conf"
wait_for 60 ceph --connect-timeout 5 -s
ceph osd create >/dev/null
ceph-osd -i 0 -c "$dir/ceph.conf" --mkfs >/dev/null 2>&1
started ceph-osd -f -i 0 -c "$dir/ceph.conf"
wait_for 60 sh -c 'ceph osd stat | grep -q "1 up"'
radosgw-admin user create --uid=test --display-name=test --access-key=testkey \
    --secret=testsecret >/dev/null 2>>"$dir/output"
started radosgw -f -n client.admin --keyring "$dir/keyring" -c "$dir/ceph.conf"
wait_for 60 answers "http://127.0.0.1:$port/"
echo "http://127.0.0.1:$port" >"$dir/endpoint"
