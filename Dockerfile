# maskgan, on the CPU; its default command is the demo, which ends in a page of pictures:
#   docker build -t maskgan .
#   mkdir out && docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/out:/work" maskgan      # out/demo/index.html
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" maskgan swap-mouth a.png b.png -o c.png
# With CUDA: the name of the wheels that fit your driver, from https://download.pytorch.org/whl/, e.g. cu130
# (the host needs NVIDIA's container toolkit):
#   docker build -t maskgan:cuda --build-arg TORCH=cu130 .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD/out:/work" maskgan:cuda
FROM python:3.11-slim
ARG TORCH=cpu
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 MASKGAN_CACHE=/cache
WORKDIR /src
RUN pip install --index-url https://download.pytorch.org/whl/${TORCH} torch torchvision
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
