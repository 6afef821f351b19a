resource "terraform_data" "record" {
  input = {
    name   = "gateway.example.com"
    target = terraform_data.gatway.id
  }
}
