# Functions for baselines.sh and perturbed_masks.sh; the paper's tables are made by `maskgan reproduce`.
# Environment variables:
#   WORK      folder for all files; default: the pipeline's name. A repeated run keeps finished parts.
#   DATA      prepared data set with masks; default: faces are rendered
#   FACES, PEOPLE, SIZE   number of rendered faces, number of people, side in pixels
#   PAIRS     number of pairs to measure; the paper has 400 (style copy: 1000)
#   RECIPE, STEPS, SETS   recipe, number of steps and --set options of the compared networks
#   JUDGE_RECIPE, JUDGE_STEPS, JUDGE_SETS         the same for the evaluation networks
#   PARSER, ATTRIBUTES, IDENTITY                  weights of evaluation networks that are not trained here;
#             PARSER=bundled uses the bundled parser
#   JUDGED, ATTRIBUTES_SETS                       attributes of the attribute classifier, and its own --set options
#   INCEPTION pytorch-fid's weights, for FID; default: features of the attribute classifier
#   SEED, DEVICE
work=${WORK:-$(basename "$0" .sh)}
SIZE=${SIZE:-64} FACES=${FACES:-600} PEOPLE=${PEOPLE:-120} PAIRS=${PAIRS:-12} SEED=${SEED:-0}
RECIPE=${RECIPE:-tiny-cpu} STEPS=${STEPS:-} DEVICE=${DEVICE:-auto}
JUDGED=${JUDGED:-Smiling,Male,Heavy_Makeup,No_Beard}
JUDGE_RECIPE=${JUDGE_RECIPE:-tiny-cpu} JUDGE_STEPS=${JUDGE_STEPS:-}
read -ra SETS <<<"${SETS:-}"
read -ra JUDGE_SETS <<<"${JUDGE_SETS:-}"
read -ra ATTRIBUTES_SETS <<<"${ATTRIBUTES_SETS:-}"
data=${DATA:-$work/data} pairs=$work/pairs.csv
mkdir -p "$work/json"
rm -f "$work"/json/*.json

if [ -z "${DATA:-}" ]; then
    maskgan synth "$work/raw" -n "$FACES" --identities "$PEOPLE" --size "$SIZE" --seed "$SEED" >&2
    [ -e "$data/dataset.json" ] || maskgan prep-data "$work/raw" "$data" --size "$SIZE" >&2
fi
# The side of the pictures from check-data's JSON; check-data also finds errors before hours of training.
[[ $(maskgan check-data "$data" --json) =~ '"size": '([0-9]+) ]]
SIZE=${BASH_REMATCH[1]}

# learn KIND NAME RECIPE STEPS [option...]: train a network to $work/runs/NAME.
learn() {
    local kind=$1 name=$2 recipe=$3 steps=$4
    shift 4
    if [ -n "$steps" ]; then
        set -- --set schedule.steps="$steps" --set schedule.checkpoint_every="$steps" --set schedule.decay_from=null "$@"
    fi
    maskgan train "$kind" "$data" --recipe "$recipe" -o "$work/runs/$name" --seed "$SEED" --device "$DEVICE" "$@" >&2
}

# Train the evaluation networks that the metrics (arguments) need.
judges() {
    local metric
    for metric; do
        case $metric in
        segmentation)
            [ -n "${PARSER:-}" ] || learn parser parser "$JUDGE_RECIPE" "$JUDGE_STEPS" \
                --set network.image_size="$SIZE" "${JUDGE_SETS[@]}"
            PARSER=${PARSER:-$work/runs/parser}
            ;;
        attributes | fid)
            [ -n "${ATTRIBUTES:-}" ] || learn attributes attributes "$JUDGE_RECIPE" "$JUDGE_STEPS" \
                --set network.image_size="$SIZE" --attributes "$JUDGED" "${JUDGE_SETS[@]}" "${ATTRIBUTES_SETS[@]}"
            ATTRIBUTES=${ATTRIBUTES:-$work/runs/attributes}
            ;;
        identity)
            [ -n "${IDENTITY:-}" ] || learn identity identity "$JUDGE_RECIPE" "$JUDGE_STEPS" "${JUDGE_SETS[@]}"
            IDENTITY=${IDENTITY:-$work/runs/identity}
            ;;
        esac
    done
}

# measure METHOD METRIC...: measure the results in $work/results/METHOD in one pass and write JSON.
measure() {
    local method=$1
    shift
    local call=(maskgan eval results "$data" "$work/results/$method" --pairs "$pairs" --device "$DEVICE")
    call+=(--metrics "$(IFS=,; echo "$*")" -o "$work/json/$method.json")
    [ "${PARSER:-bundled}" = bundled ] || call+=(--parser-weights "$PARSER")
    [ -z "${ATTRIBUTES:-}" ] || call+=(--attributes-weights "$ATTRIBUTES")
    [ -z "${IDENTITY:-}" ] || call+=(--identity-weights "$IDENTITY")
    [ -z "${MASKS:-}" ] || call+=(--masks "$MASKS")
    if [ -n "${INCEPTION:-}" ]; then
        call+=(--features-weights "$INCEPTION")
    else
        call+=(--features attributes)
        [ -z "${ATTRIBUTES:-}" ] || call+=(--features-weights "$ATTRIBUTES")
    fi
    "${call[@]}" >&2
}

# Print the table on standard output and write it to $work/table.md.
table() {
    maskgan eval report "$@" -o "$work/table.md" --overwrite
}
