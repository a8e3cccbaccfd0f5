# Wrong command lines: exit code 2, a reason and a hint, and no store is made.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
run akidb creat words a.npy
run akidb frobnicate
run akidb help frobnicate
run akidb --frobnicate
run akidb create --fromat json words a.npy
run akidb create -x words a.npy
run akidb create words
run akidb restore words latest
run akidb restore words latest a.npy b.npy
run akidb list a b
run akidb gc words
run akidb --store
run akidb --store= list
run akidb --json=yes list
run akidb --threads 0 list
run akidb --threads many list
run akidb --threads 99999999999999999999 list
run akidb create --format xml words a.npy
run akidb create --compression zstd:20 words a.npy
run akidb create --compression zstd:x words a.npy
run akidb create --compression snappy:1 words a.npy
run akidb create --compression brotli words a.npy
run akidb create --vector-encoding rle words a.npy
run akidb create --profile tiny words a.npy
run akidb create --format json --profile small words a.npy
run akidb create --row-group-size 0 words a.npy
run akidb create --row-group-size 4294967296 words a.npy
run akidb create --row-group-size -1 words a.npy
run akidb create --row-group-size 1e3 words a.npy
run akidb create --page-size 1 words a.npy
run akidb create --page-size 16777216T words a.npy
run akidb create --page-size 99999999999G words a.npy
run akidb create --layout pile words a.npy
run akidb create --label name words a.npy
run akidb create --label =x words a.npy
run akidb create --label name=other words a.npy
run akidb create --label k=1 --label k=2 words a.npy
run akidb create --ids a.txt words a.npy b.npy
run akidb create --format json --compression lz4 words a.npy
run akidb create --format json --layout folder words a.npy
run akidb create --format json --time-unit micros words a.npy
run akidb create '' a.npy
run akidb restore words latest words.txt
run akidb restore words latest npy
run akidb --json restore words latest -
run akidb restore --id king words latest a.npy
run akidb restore --columns vektor words latest a.jsonl
run akidb restore --columns metadata words latest a.npy
run akidb restore --inserted-after yesterday words latest a.npy
run akidb restore --limit 0 words latest a.npy
run akidb verify --level deep words
run akidb cleanup words
run akidb cleanup --keep-last 0 words
run akidb cleanup --keep-daily 0 --dry-run words
run akidb cleanup --older-than 7 words
run akidb cleanup --older-than 7y words
run akidb cleanup --older-than 0d words
run akidb cleanup --older-than 99999999999999w words
run akidb cleanup --keep-last 1000000001 words
run akidb migrate --delete-source words
run akidb migrate --format xml words latest
run akidb gc --older-than -1d
run akidb help --man --markdown
run akidb help --completion tcsh
mkdir folder
run akidb --store folder show words ""
run akidb --store http://localhost:9000/words list
run akidb --store s3://no list
run akidb --store memory:x list
run akidb --store folder --sse AES256 list
run akidb --store s3://some-bucket --endpoint-url localhost:9000 list
run akidb --store s3://some-bucket --sse rot13 list
run akidb --store folder copy words latest --to HTTPS://localhost/words
run akidb --store folder --sse AES256 copy words latest --to other
run akidb --store folder sync words --to s3://some-bucket --to-aws-profile nobody
run ls
