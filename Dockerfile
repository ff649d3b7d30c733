# maskgan; its default command is the demo, which ends in a page of pictures:
#   docker build -t maskgan .
#   mkdir out && docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/out:/work" maskgan      # out/demo/index.html
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" maskgan swap-mouth a.png b.png -o c.png
# Trainings need shared memory for their data loader processes; Docker's default of 64 MB is too little:
#   docker run --rm --shm-size 2g --user "$(id -u):$(id -g)" -v "$PWD:/work" maskgan train dmn DATA
# PyTorch's default wheels bring CUDA (the host needs NVIDIA's container toolkit). For a smaller image, or another CUDA,
# give pip the options of PyTorch's installation page:
#   docker build -t maskgan:cpu --build-arg PIP="OPTIONS" .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD/out:/work" maskgan
FROM python:3.11-slim
ARG PIP=""
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 MASKGAN_CACHE=/cache
WORKDIR /src
RUN pip install ${PIP} torch torchvision
COPY pyproject.toml README.md LICENSE CITATION.cff CHANGELOG.md ./
COPY maskgan_cli ./maskgan_cli
COPY recipes ./recipes
RUN pip install .
RUN useradd maskgan && mkdir -m 1777 /work /cache # whoever runs it may write there
ENV HOME=/cache
USER maskgan
WORKDIR /work
ENTRYPOINT ["maskgan"]
CMD ["demo"]
