#!/usr/bin/env bash
# Rows of the papers at their own length on one GPU, in pieces of a few minutes: scripts/gpu.sh STAGE [KEY=VALUE ...]
#
#   1 check          the tests that need a GPU, a short run on the digits, the speed claims of a GPU
#   2 mnist_two      ASAL on the digits 5 and 7: its GAN and what that is worth, then all strategies, five seeds
#   3 mnist_ten      ASAL on MNIST's ten classes: the same, one seed after the other
#   4 waal_cifar10   WAAL's Table 6: waal, random and margin, seed 0
#   5 mal            MAL's lines: Tiny-ImageNet's twenty classes at 64 x 64 by the whole ResNet18, five seeds; uneven CIFAR-10;
#                    CamVid by the whole DRN
#   6 alcg           ALCG's Figures 5 and 10 on CIFAR-10, all bases beside each other, one seed after the other
#   7 matching       searches on 16 million points beside torch's exact matcher, recall measured: our scan in one pass, FAISS's
#                    inverted lists, cuVS's and its CAGRA (faiss-gpu-cuvs); what the installed FAISS has not, a row says
#
# KEY=VALUE goes to run.py: paths.data=DIR, hydra.launcher.workers=4; `device=cpu scale=smoke` tries a stage anywhere.
# Exit code: 0 finished, 1 something failed, of a sweep also bad input, 2 bad input, 75 not finished: the same line
# again goes on.
# Paths are relative to the project's root. Variables, with what they are without being set:
LIMIT=${LIMIT:-560}            # seconds after which what runs is told to store what it has and end
GRACE=${GRACE:-20}             # seconds that it has for that
OUT=${OUT:-results/gpu}        # where small files are collected, and artifacts and cells of another machine are found
MOST_MIB=${MOST_MIB:-16}       # of an artifact that is collected
PYTHON=${PYTHON:-}             # of .venv where that is, else python3
set -uo pipefail
shopt -s nullglob
trap 'stopped=yes; kill -TERM "$child" 2>/dev/null' INT TERM HUP
outputs=outputs child="" stopped="" failed="" keys=() of_one_run=()

main() {
    read_arguments "$@"
    mkdir -p "$OUT" "$outputs"
    copy_artifacts "$OUT/artifacts" "$outputs/artifacts" # those of another machine
    "$stage"
    collect
    if [[ $stopped ]]; then
        echo "not finished: the same line again goes on; what is there is in $OUT"
        exit 75
    fi
    rm -f "$OUT/$stage.done"
    echo "stage $stage is over${failed:+, not all of it went well}; collected in $OUT"
    [[ ! $failed ]]
}

read_arguments() {
    case ${1:-} in
        1 | check) stage=check ;;
        2 | mnist_two) stage=mnist_two ;;
        3 | mnist_ten) stage=mnist_ten ;;
        4 | waal_cifar10) stage=waal_cifar10 ;;
        5 | mal) stage=mal ;;
        6 | alcg) stage=alcg ;;
        7 | matching) stage=matching ;;
        *) refuse "stage '${1:-}' is not known: use check, mnist_two, mnist_ten, waal_cifar10, mal, alcg, matching, or 1 to 7" ;;
    esac
    for key in "${@:2}"; do
        case $key in
            paths.outputs=* | +paths.outputs=* | ++paths.outputs=*)
                outputs=${key#*=}
                if [[ $outputs == \'*\' || $outputs == \"*\" ]]; then outputs=${outputs:1:-1}; fi ;;
            *=*) ;;
            *) refuse "'$key' is no KEY=VALUE" ;;
        esac
        keys+=("$key")
        [[ $key =~ ^[+~]*(strategy|seed|method|learner|feature|representation|loop|hydra)[./=] ]] || of_one_run+=("$key")
    done
    for name in LIMIT GRACE MOST_MIB; do
        [[ ${!name} =~ ^(0|[1-9][0-9]*)$ ]] || refuse "$name='${!name}' is no whole number"
    done
    [[ $PYTHON ]] || PYTHON=$([[ -x .venv/bin/python ]] && echo .venv/bin/python || echo python3)
    command -v "$PYTHON" >/dev/null || refuse "PYTHON='$PYTHON' is not there"
}

refuse() {
    echo "error: $1" >&2
    exit 2
}

check() {
    local needing
    mapfile -t needing < <(grep -rlE --include='*.py' '^(@|pytestmark = )pytest\.mark\.gpu\b' tests)
    once tests -m pytest -q -rs -m gpu "${needing[@]}"
    run run.py dataset=digits strategy=asal_auto loop.max_cycles=3 "${of_stages[@]}" "${of_one_run[@]}"
    bench gan_gpu matcher_gpu packed_gpu
}

mnist_two() {
    quality mnist_two
    sweep experiment=asal/mnist_two
}

mnist_ten() {
    quality mnist
    local seed
    for seed in 0 1 2 3 4; do # all strategies of one before the next: what is reached can be compared
        sweep experiment=asal/mnist_ten "seed=$seed"
        given seed && break
    done
}

waal_cifar10() {
    sweep experiment=waal/cifar10 strategy=waal,random,margin seed=0
}

mal() {
    local seed
    for seed in 0 1 2 3 4; do # all lines of one before the next, as in mnist_ten
        sweep experiment=mal/tiny_imagenet dataset.image_size=64 network.width=64 network.stem=imagenet "seed=$seed"
        given seed && break
    done
    sweep experiment=mal/cifar10_imbalanced
    sweep experiment=mal/camvid network.width=16
}

alcg() {
    local seed
    for seed in 0 1 2 3 4; do # Figure 10's lines first, as in mnist_ten; of Figure 5 they leave LM and LE
        sweep experiment=alcg/alcg_cifar10 "seed=$seed"
        sweep experiment=alcg/certainty_cifar10 "seed=$seed"
        given seed && break
    done
}

matching() {
    once tests -m pytest -q -rs -m gpu tests/matcher
    run run.py dataset=digits strategy=asal_auto loop.max_cycles=3 matcher=exact matcher.backend=fused \
        "${of_stages[@]}" "${of_one_run[@]}"
    bench fused_gpu ivf_gpu cuvs_ivf_gpu cagra_gpu
}

quality() { # of the GAN of a data set, which is trained here
    run run.py procedure=gan_quality "dataset=$1" "${of_stages[@]}" "${of_one_run[@]}"
}

bench() { # claims, each on a page of its own; without a GPU they say that nothing was measured
    local claim
    mkdir -p "$OUT/bench"
    for claim in "$@"; do
        once "$claim" scripts/bench.py "$claim" --page "$OUT/bench/$claim.md"
    done
}

sweep() { # a process for each core, all of them on one GPU
    run run.py -m "$@" "hydra.launcher.workers=$(cores)" "${of_stages[@]}" "${keys[@]}"
}

cores() { # that processes may use, whatever a variable says of threads in one of them
    env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc
}

given() {
    [[ " ${keys[*]}" == *" $1="* ]]
}

once() { # a name and a command, which is not run again where the stage was cut after it
    if grep -qx "$1" "$OUT/$stage.done" 2>/dev/null; then
        echo "$1: done before"
    elif run "${@:2}"; then
        echo "$1" >>"$OUT/$stage.done"
    fi
}

run() { # a command of the project, until it ends or LIMIT is reached; status 0 where it ended well
    local left=$((LIMIT - SECONDS)) code
    ((left > 0)) || stopped=yes
    [[ ! $stopped ]] || return 1
    echo "+ $PYTHON $*"
    setsid timeout --foreground --kill-after="$GRACE" "$left" "$PYTHON" "$@" &
    child=$!
    wait "$child"
    code=$?
    while kill -0 "$child" 2>/dev/null; do # a signal to this script ended the first wait
        wait "$child"
        code=$?
    done
    child=""
    ((code == 0)) && return
    ((code != 124 && SECONDS < LIMIT)) || stopped=yes
    [[ ! $stopped && $1 == run.py && $2 != -m && $code -eq 2 ]] && exit 2 # bad input, which was said
    [[ $stopped ]] || failed=yes
    return 1
}

collect() { # artifacts, pictures and verdicts of GANs, cells of finished runs
    local file name
    copy_artifacts "$outputs/artifacts" "$OUT/artifacts"
    mkdir -p "$OUT/samples"
    while read -r file; do
        name=${file#"$outputs/"} name=${name%/samples.png}
        cp "$file" "$OUT/samples/${name//\//-}.png"
        sed -n 's/.*finished: the GAN/the GAN/p' "${file%samples.png}run.log" | tail -n 1 >"$OUT/samples/${name//\//-}.txt"
    done < <(find "$outputs" -name samples.png)
    "$PYTHON" scripts/export.py "$outputs" "$OUT/cells" || failed=yes
}

copy_artifacts() { # from, to: those of at most MOST_MIB that are not there yet, the record last, which says they are whole
    local record weights there
    for record in "$1"/*/*.json; do
        weights=${record%.json}.safetensors there=$2/${record#"$1/"}
        [[ ! -e $there && -e $weights ]] || continue
        (($(stat -Lc %s "$weights") <= MOST_MIB << 20)) || continue
        mkdir -p "${there%/*}"
        cp "$weights" "${there%.json}.safetensors" && cp "$record" "$there.part" && mv "$there.part" "$there"
    done
}

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} # the package need not be installed
of_stages=(capture=true tracking=none "paths.cells='${OUT//\'/\\\'}/cells'")
main "$@"; exit # on one line: bash reads a script as it goes, and this one may change while a stage runs
