# Sourced by the pipelines that end in one of the paper's tables. Settings, by environment variable:
#   WORK      folder for everything (the pipeline's name); run again, finished parts are kept
#   DATA      a prepared data set with masks; rendered faces are made if not given
#   FACES, PEOPLE, SIZE   rendered faces: how many, of how many people, of what side
#   PAIRS     pairs to measure; the paper has 400 (style copy: 1000)
#   RECIPE, STEPS, SETS   of the networks that are compared; SETS is added to every training command
#   JUDGE_STEPS, PARSER, ATTRIBUTES, IDENTITY   steps of the judges, or weights to take instead
#   INCEPTION pytorch-fid's weights, for the FID; else the distance is over the attribute judge's features
#   SEED, DEVICE
work=${WORK:-$(basename "$0" .sh)}
SIZE=${SIZE:-64} FACES=${FACES:-600} PEOPLE=${PEOPLE:-120} PAIRS=${PAIRS:-12} SEED=${SEED:-0}
RECIPE=${RECIPE:-tiny-cpu} STEPS=${STEPS:-1500} JUDGE_STEPS=${JUDGE_STEPS:-600} DEVICE=${DEVICE:-auto}
read -ra SETS <<<"${SETS:-}"
read -ra JUDGE_SETS <<<"${JUDGE_SETS:-}"
data=${DATA:-$work/data} pairs=$work/pairs.csv
mkdir -p "$work/json"
rm -f "$work"/json/*.json

# The data set.
if [ -z "${DATA:-}" ]; then
    maskgan synth "$work/raw" -n "$FACES" --identities "$PEOPLE" --size "$SIZE" --seed "$SEED" >&2
    [ -e "$data/dataset.json" ] || maskgan prep-data "$work/raw" "$data" --size "$SIZE" >&2
fi

# learn KIND NAME STEPS [option...]: train a network to $work/runs/NAME; prints nothing.
learn() {
    local kind=$1 name=$2 steps=$3
    shift 3
    maskgan train "$kind" "$data" --recipe "$RECIPE" -o "$work/runs/$name" --seed "$SEED" --device "$DEVICE" \
        --set schedule.steps="$steps" --set schedule.checkpoint_every="$steps" "$@" >&2
}

# The judges that the metrics named as arguments need.
judges() {
    local metric
    for metric; do
        case $metric in
        segmentation)
            [ -n "${PARSER:-}" ] || learn parser parser "$JUDGE_STEPS" --set network.image_size="$SIZE" \
                --set schedule.decay_from=null "${JUDGE_SETS[@]}"
            PARSER=${PARSER:-$work/runs/parser}
            ;;
        attributes | fid)
            [ -n "${ATTRIBUTES:-}" ] || learn attributes attributes "$JUDGE_STEPS" --set network.image_size="$SIZE" \
                --attributes Smiling,Male,Heavy_Makeup,No_Beard --set schedule.decay_from=null "${JUDGE_SETS[@]}"
            ATTRIBUTES=${ATTRIBUTES:-$work/runs/attributes}
            ;;
        identity)
            [ -n "${IDENTITY:-}" ] || learn identity identity "$JUDGE_STEPS" "${JUDGE_SETS[@]}"
            IDENTITY=${IDENTITY:-$work/runs/identity}
            ;;
        esac
    done
}

# measure METHOD METRIC...: results of $work/results/METHOD to JSON.
measure() {
    local method=$1 metric
    local results=$work/results/$method
    shift
    for metric; do
        local call=(maskgan eval "$metric")
        [ "$metric" != fid ] || call+=("$data")
        call+=("$results" --pairs "$pairs" --device "$DEVICE" -o "$work/json/$method-$metric.json")
        case $metric in
        segmentation) call+=(--weights "$PARSER") ;;
        attributes) call+=(--weights "$ATTRIBUTES") ;;
        identity) call+=(--weights "$IDENTITY") ;;
        fid)
            if [ -n "${INCEPTION:-}" ]; then
                call+=(--weights "$INCEPTION")
            else
                call+=(--features attributes --weights "$ATTRIBUTES")
            fi
            ;;
        esac
        "${call[@]}" >&2
    done
}

# The table, on standard output and in $work/table.md.
table() {
    maskgan eval report "$@" -o "$work/table.md" --overwrite
}
